//! Which scalars go-yaml takes for timestamps.

/// Whether Go's `time.Parse` takes the text in one of the four layouts that go-yaml tries:
/// `2006-1-2T15:4:5.999999999Z07:00` (also with `t`), `2006-1-2 15:4:5.999999999` and `2006-1-2`.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let year = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if year != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    let year = bytes[..4].iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    parse(year, &bytes[5..]).is_some()
}

fn parse(year: u32, mut rest: &[u8]) -> Option<()> {
    let month = number(&mut rest)?;
    expect(&mut rest, b'-')?;
    let day = number(&mut rest)?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    match rest {
        [] => return Some(()),
        [b'T' | b't', time @ ..] => {
            rest = time;
            clock(&mut rest)?;
            zone(&mut rest)?;
        }
        [b' ', ..] => {
            while let [b' ', time @ ..] = rest {
                rest = time;
            }
            clock(&mut rest)?;
        }
        _ => return None,
    }
    rest.is_empty().then_some(())
}

/// One or two digits.
fn number(rest: &mut &[u8]) -> Option<u32> {
    let length = rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at_checked(length).filter(|_| length > 0)?;
    *rest = after;
    Some(digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

fn expect(rest: &mut &[u8], byte: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[byte])?;
    Some(())
}

/// `15:4:5` with a fraction of any length.
fn clock(rest: &mut &[u8]) -> Option<()> {
    let hour = number(rest)?;
    expect(rest, b':')?;
    let minute = number(rest)?;
    expect(rest, b':')?;
    let second = number(rest)?;
    if let [b'.' | b',', b'0'..=b'9', ..] = rest {
        let fraction = &rest[1..];
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        *rest = &fraction[length..];
    }
    (hour < 24 && minute < 60 && second < 60).then_some(())
}

/// `Z` or `+07:00`.
fn zone(rest: &mut &[u8]) -> Option<()> {
    if let [b'Z', after @ ..] = rest {
        *rest = after;
        return Some(());
    }
    let [b'+' | b'-', h1, h2, b':', m1, m2, after @ ..] = rest else { return None };
    if ![h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let two = |high: &u8, low: &u8| (high - b'0') * 10 + (low - b'0');
    let allowed = two(h1, h2) <= 24 && two(m1, m2) <= 60;
    *rest = after;
    allowed.then_some(())
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
