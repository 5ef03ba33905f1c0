//! The order of keys: go-yaml's natural sort, where `a2` comes before `a10`.

use serde_json::{Map, Value};

use super::unicode::{is_digit, is_letter};
use crate::scanner::token::Flavour;

/// The pairs of a map in the order in which the flavour writes them.
pub(super) fn sorted_pairs(flavour: Flavour, map: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut pairs: Vec<(&str, &Value)> = map.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let sorted = pairs.windows(2).all(|pair| match pair {
        [a, b] => less(flavour, a.0, b.0),
        _ => true,
    });
    if !sorted {
        merge_sort(&mut pairs, &|a, b| less(flavour, a.0, b.0));
    }
    pairs
}

/// A merge sort. The standard one may panic when the order is no total order, which this one is not for
/// some sets of keys.
fn merge_sort<T: Copy>(items: &mut [T], less: &impl Fn(&T, &T) -> bool) {
    let (left, right) = items.split_at_mut(items.len() / 2);
    if left.is_empty() {
        return;
    }
    merge_sort(left, less);
    merge_sort(right, less);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let item = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) => {
                if less(b, a) {
                    right.next()
                } else {
                    left.next()
                }
            }
            (Some(_), None) => left.next(),
            _ => right.next(),
        };
        match item {
            Some(item) => merged.push(*item),
            None => break,
        }
    }
    items.copy_from_slice(&merged);
}

fn less(flavour: Flavour, a: &str, b: &str) -> bool {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let same = (0..=same).rev().find(|at| a.is_char_boundary(*at)).unwrap_or(0);
    let (a_rest, b_rest) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    let (Some(x), Some(y)) = (a_rest.chars().next(), b_rest.chars().next()) else {
        return a.len() < b.len();
    };
    let common = a.get(..same).unwrap_or_default();
    match (is_letter(x), is_letter(y)) {
        (true, true) => x < y,
        (false, false) => less_numbers(common, a_rest, b_rest, x < y),
        // Inside a number v3 lets the shorter number win, so that `a1b` comes before `a10`.
        (x_is_letter, _) if flavour == Flavour::V3 && common.chars().next_back().is_some_and(is_digit) => {
            x_is_letter
        }
        (_, y_is_letter) => y_is_letter,
    }
}

/// Compares the numbers at the start of the two texts.
fn less_numbers(common: &str, a: &str, b: &str, otherwise: bool) -> bool {
    let (mut an, mut bn) = (0i64, 0i64);
    if a.starts_with('0') || b.starts_with('0') {
        let in_number =
            common.chars().rev().take_while(|character| is_digit(*character)).any(|digit| digit != '0');
        if in_number {
            (an, bn) = (1, 1);
        }
    }
    let number = |text: &str, start: i64| {
        let digits = text.chars().take_while(|character| is_digit(*character));
        digits.fold((start, 0usize), |(sum, length), digit| {
            let value = i64::from(u32::from(digit)) - i64::from(b'0');
            (sum.wrapping_mul(10).wrapping_add(value), length + 1)
        })
    };
    let ((an, a_length), (bn, b_length)) = (number(a, an), number(b, bn));
    if an != bn {
        return an < bn;
    }
    if a_length != b_length {
        return a_length < b_length;
    }
    otherwise
}
