//! Which form a value has under which verb.

use super::{MAX_DEPTH, Printed, Printer, Stop};
use crate::value::{Kind, List, Map, Object, Value};

impl Printer<'_> {
    /// An operand of `Print` or `Printf`.
    pub(super) fn argument(&mut self, value: &Value, verb: char) -> Printed {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (Value::Nil, _) => self.bad_verb(value, verb),
            (_, 'T') => self.plain(value.type_name().as_bytes()),
            (_, 'p') => self.pointer(value, 'p'),
            _ => self.value(value, verb, 0),
        }
    }

    /// A value at some depth inside of an operand.
    fn value(&mut self, value: &Value, verb: char, depth: u32) -> Printed {
        if depth > MAX_DEPTH {
            return Err(Stop::TooDeep);
        }
        let element_wise = matches!(value, Value::Nil) || depth == 0 && matches!(value, Value::Bytes(_));
        if verb == 'w' && !self.erroring && !element_wise {
            return self.bad_verb(value, verb);
        }
        match value {
            Value::Nil if self.flags.sharp_v => self.put("interface {}(nil)"),
            Value::Nil => self.put("<nil>"),
            Value::Bool(b) => match verb {
                't' | 'v' => self.bool(*b),
                _ => self.bad_verb(value, verb),
            },
            Value::Int(i) | Value::Int64(i) => self.any_integer(value, i.unsigned_abs(), *i < 0, verb),
            Value::Uint8(u) => self.any_integer(value, u64::from(*u), false, verb),
            Value::Uint64(u) => self.any_integer(value, *u, false, verb),
            Value::Float64(f) => self.any_float(value, *f, verb),
            Value::Complex(re, im) => self.complex(value, *re, *im, verb),
            Value::String(s) => self.string(value, s.as_bytes(), verb),
            Value::Bytes(b) => self.bytes(value, b, verb, depth),
            Value::List(l) => self.list(l, verb, depth),
            Value::Map(m) => self.map(m, verb, depth),
            Value::Object(o) => self.object(value, &**o, verb, depth),
            Value::Func(_) => self.pointer(value, verb),
        }
    }

    /// `%!verb(type=value)`
    fn bad_verb(&mut self, value: &Value, verb: char) -> Printed {
        self.bang(verb)?;
        self.put("(")?;
        self.put(&value.type_name())?;
        if !matches!(value, Value::Nil) {
            self.put("=")?;
            let outer = std::mem::replace(&mut self.erroring, true);
            self.value(value, 'v', 0)?;
            self.erroring = outer;
        }
        self.put(")")
    }

    fn any_integer(&mut self, value: &Value, magnitude: u64, negative: bool, verb: char) -> Printed {
        let code = if negative { magnitude.wrapping_neg() } else { magnitude };
        match verb {
            'v' if self.flags.sharp_v && matches!(value, Value::Uint8(_) | Value::Uint64(_)) => {
                self.hex_prefixed(magnitude)
            }
            'v' | 'd' => self.integer(magnitude, negative, 10, verb),
            'b' => self.integer(magnitude, negative, 2, verb),
            'o' | 'O' => self.integer(magnitude, negative, 8, verb),
            'x' | 'X' => self.integer(magnitude, negative, 16, verb),
            'c' => self.character(code),
            'q' => self.quoted_character(code),
            'U' => self.unicode(code),
            _ => self.bad_verb(value, verb),
        }
    }

    /// `0x…`, whatever the flags say.
    fn hex_prefixed(&mut self, magnitude: u64) -> Printed {
        let sharp = std::mem::replace(&mut self.flags.sharp, true);
        let done = self.integer(magnitude, false, 16, 'v');
        self.flags.sharp = sharp;
        done
    }

    fn any_float(&mut self, value: &Value, f: f64, verb: char) -> Printed {
        match verb {
            'v' => self.float(f, 'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.float(f, verb, None),
            'f' | 'e' | 'E' | 'F' => self.float(f, if verb == 'F' { 'f' } else { verb }, Some(6)),
            _ => self.bad_verb(value, verb),
        }
    }

    fn complex(&mut self, value: &Value, re: f64, im: f64, verb: char) -> Printed {
        if !"vbgGxXfFeE".contains(verb) {
            return self.bad_verb(value, verb);
        }
        let plus = self.flags.plus;
        self.put("(")?;
        self.any_float(value, re, verb)?;
        self.flags.plus = true;
        self.any_float(value, im, verb)?;
        self.flags.plus = plus;
        self.put("i)")
    }

    fn string(&mut self, value: &Value, s: &[u8], verb: char) -> Printed {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(s),
            'v' | 's' => self.plain(s),
            'x' => self.hex_bytes(s, false),
            'X' => self.hex_bytes(s, true),
            'q' => self.quoted(s),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bytes(&mut self, value: &Value, bytes: &[u8], verb: char, depth: u32) -> Printed {
        match verb {
            's' | 'x' | 'X' | 'q' => self.string(value, bytes, verb),
            _ => {
                let name = if depth == 0 && matches!(verb, 'v' | 'd') { "[]byte" } else { "[]uint8" };
                let count = bytes.len();
                let item = |p: &mut Self, i: usize| {
                    let byte = Value::Uint8(bytes.get(i).copied().unwrap_or_default());
                    p.value(&byte, verb, depth + 1)
                };
                self.sequence(name, count, item)
            }
        }
    }

    /// `[a b]`, or `type{a, b}` with `%#v`.
    fn sequence(
        &mut self,
        type_name: &str,
        count: usize,
        mut item: impl FnMut(&mut Self, usize) -> Printed,
    ) -> Printed {
        let sharp = self.flags.sharp_v;
        if sharp {
            self.put(type_name)?;
        }
        self.put(if sharp { "{" } else { "[" })?;
        for i in 0..count {
            if i > 0 {
                self.put(if sharp { ", " } else { " " })?;
            }
            item(self, i)?;
        }
        self.put(if sharp { "}" } else { "]" })
    }

    fn list(&mut self, list: &List, verb: char, depth: u32) -> Printed {
        let name = list.list_type().name;
        if self.flags.sharp_v && list.is_nil() {
            self.put(name)?;
            return self.put("(nil)");
        }
        let items = list.borrow();
        let inner = depth + 1;
        self.sequence(name, items.len(), |p, i| match items.get(i) {
            Some(v) => p.value(v, verb, inner),
            None => Ok(()),
        })
    }

    fn map(&mut self, map: &Map, verb: char, depth: u32) -> Printed {
        let sharp = self.flags.sharp_v;
        let ty = map.map_type();
        self.put(if sharp { ty.name } else { "map[" })?;
        if sharp && map.is_nil() {
            return self.put("(nil)");
        }
        if sharp {
            self.put("{")?;
        }
        for (i, (key, value)) in map.borrow().iter().enumerate() {
            if i > 0 {
                self.put(if sharp { ", " } else { " " })?;
            }
            self.value(&Value::String(key.clone()), verb, depth + 1)?;
            self.put(":")?;
            self.value(value, verb, depth + 1)?;
        }
        self.put(if sharp { "}" } else { "]" })
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char, depth: u32) -> Printed {
        if !self.erroring {
            let stringable = !self.flags.sharp_v && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q');
            if let Some(s) = stringable.then(|| object.string()).flatten() {
                return self.string(value, s.as_bytes(), verb);
            }
        }
        match (object.underlying(), object.kind()) {
            (Some(Value::Int(i) | Value::Int64(i)), _) => {
                self.any_integer(value, i.unsigned_abs(), i < 0, verb)
            }
            (Some(Value::Uint8(u)), _) => self.any_integer(value, u64::from(u), false, verb),
            (Some(Value::Uint64(u)), _) => self.any_integer(value, u, false, verb),
            (Some(Value::Float64(f)), _) => self.any_float(value, f, verb),
            (Some(Value::String(s)), _) => self.string(value, s.as_bytes(), verb),
            (Some(other), _) => self.value(&other, verb, depth + 1),
            (None, Kind::Ptr) if depth > 0 => self.pointer(value, verb),
            (None, kind) => {
                let pointer = kind == Kind::Ptr;
                if pointer {
                    self.put("&")?;
                }
                self.fields(object, verb, depth + u32::from(pointer))
            }
        }
    }

    /// A struct.
    pub(crate) fn fields(&mut self, object: &dyn Object, verb: char, depth: u32) -> Printed {
        let (sharp, names) = (self.flags.sharp_v, self.flags.plus_v || self.flags.sharp_v);
        if sharp {
            self.put(object.type_name().trim_start_matches('*'))?;
        }
        self.put("{")?;
        for (i, (name, value)) in object.fields().into_iter().enumerate() {
            if i > 0 {
                self.put(if sharp { ", " } else { " " })?;
            }
            if names {
                self.put(name)?;
                self.put(":")?;
            }
            self.value(&value, verb, depth + 1)?;
        }
        self.put("}")
    }

    /// An address. It differs from run to run in Go too.
    fn pointer(&mut self, value: &Value, verb: char) -> Printed {
        let address = match value {
            Value::List(l) => l.address(),
            Value::Map(m) => m.address(),
            Value::Bytes(b) => b.as_ptr().addr(),
            Value::Object(o) if o.kind() == Kind::Ptr => std::rc::Rc::as_ptr(o).addr(),
            Value::Func(f) => std::ptr::from_ref(*f).addr(),
            _ => return self.bad_verb(value, verb),
        };
        let address = address as u64;
        match verb {
            'v' | 'p' if !self.flags.sharp => self.hex_prefixed(address),
            'p' | 'v' | 'x' => self.integer(address, false, 16, 'x'),
            'b' => self.integer(address, false, 2, verb),
            'o' => self.integer(address, false, 8, verb),
            'd' => self.integer(address, false, 10, verb),
            'X' => self.integer(address, false, 16, verb),
            _ => self.bad_verb(value, verb),
        }
    }
}
