//! Label selectors: `app=web,tier!=db,env in (dev,test),!legacy`.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::tree::meta::StringMap;

#[derive(Debug, PartialEq, Eq)]
enum Rule {
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Exists,
    Missing,
    Greater(i64),
    Less(i64),
}

/// All of its requirements have to hold.
#[derive(Debug, Default)]
pub(crate) struct LabelSelector {
    requirements: Vec<(String, Rule)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(&'static str),
    End,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Sign(sign) => sign,
            Self::End => "",
        }
    }
}

const SIGNS: [&str; 10] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<", " "];

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix([' ', '\t', '\n', '\r']) {
            rest = after;
            continue;
        }
        if let Some((sign, after)) =
            SIGNS.iter().find_map(|sign| rest.strip_prefix(sign).map(|after| (*sign, after)))
        {
            found.push(Token::Sign(sign));
            rest = after;
            continue;
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<'))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        found.push(Token::Word(word.to_owned()));
        rest = after;
    }
    found.reverse();
    found
}

struct Parser {
    /// In reverse.
    tokens: Vec<Token>,
}

impl Parser {
    fn next(&mut self) -> Token {
        self.tokens.pop().unwrap_or(Token::End)
    }

    fn peek(&self) -> &Token {
        self.tokens.last().unwrap_or(&Token::End)
    }

    fn requirements(&mut self) -> Result<Vec<(String, Rule)>> {
        let mut found = Vec::new();
        loop {
            match self.peek() {
                Token::End => return Ok(found),
                Token::Word(_) | Token::Sign("!") => {
                    let requirement =
                        self.requirement().map_err(|error| error.context("unable to parse requirement"))?;
                    found.push(requirement);
                }
                other => {
                    return Err(Error::new(format!(
                        "found '{}', expected: !, identifier, or 'end of string'",
                        other.text()
                    )));
                }
            }
            match self.next() {
                Token::End => return Ok(found),
                Token::Sign(",") => match self.peek() {
                    Token::Word(_) | Token::Sign("!") => {}
                    other => {
                        return Err(Error::new(format!(
                            "found '{}', expected: identifier after ','",
                            other.text()
                        )));
                    }
                },
                other => {
                    return Err(Error::new(format!(
                        "found '{}', expected: ',' or 'end of string'",
                        other.text()
                    )));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<(String, Rule)> {
        let negated = *self.peek() == Token::Sign("!");
        if negated {
            self.next();
        }
        let key = match self.next() {
            Token::Word(word) => word,
            other => return Err(Error::new(format!("found '{}', expected: identifier", other.text()))),
        };
        if negated {
            return Ok((key, Rule::Missing));
        }
        if matches!(self.peek(), Token::End | Token::Sign(",")) {
            return Ok((key, Rule::Exists));
        }
        let rule = match self.next() {
            Token::Sign("=" | "==") => Rule::In(BTreeSet::from([self.value()])),
            Token::Sign("!=") => Rule::NotIn(BTreeSet::from([self.value()])),
            Token::Sign(">") => Rule::Greater(self.number()?),
            Token::Sign("<") => Rule::Less(self.number()?),
            Token::Word(word) if word == "in" => Rule::In(self.values()?),
            Token::Word(word) if word == "notin" => Rule::NotIn(self.values()?),
            other => {
                return Err(Error::new(format!(
                    "found '{}', expected: in, notin, =, ==, !=, gt, lt",
                    other.text()
                )));
            }
        };
        Ok((key, rule))
    }

    fn value(&mut self) -> String {
        match self.peek() {
            Token::Word(word) => {
                let word = word.clone();
                self.next();
                word
            }
            _ => String::new(),
        }
    }

    fn number(&mut self) -> Result<i64> {
        let text = self.value();
        text.parse()
            .map_err(|_| Error::new("for 'Gt', 'Lt' operators, the value must be an integer".to_owned()))
    }

    fn values(&mut self) -> Result<BTreeSet<String>> {
        match self.next() {
            Token::Sign("(") => {}
            other => return Err(Error::new(format!("found '{}' expected: '('", other.text()))),
        }
        let mut values = BTreeSet::new();
        loop {
            values.insert(self.value());
            match self.next() {
                Token::Sign(",") => {}
                Token::Sign(")") => return Ok(values),
                other => {
                    return Err(Error::new(format!("found '{}', expected: ',' or ')'", other.text())));
                }
            }
        }
    }
}

impl LabelSelector {
    /// Parses a selector; the empty one takes everything.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut parser = Parser { tokens: tokens(text) };
        Ok(Self { requirements: parser.requirements()? })
    }

    /// Parses once.
    pub(crate) fn cached<'s>(slot: &'s mut Option<Self>, text: &str) -> Result<&'s Self> {
        if slot.is_none() {
            *slot = Some(Self::parse(text)?);
        }
        Ok(slot.get_or_insert_default())
    }

    /// Whether all requirements hold.
    pub(crate) fn takes(&self, labels: &StringMap) -> bool {
        self.requirements.iter().all(|(key, rule)| {
            let value = labels.get(key);
            let number = || value.and_then(|value| value.parse::<i64>().ok());
            match rule {
                Rule::In(values) => value.is_some_and(|value| values.contains(value)),
                Rule::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Rule::Exists => value.is_some(),
                Rule::Missing => value.is_none(),
                Rule::Greater(bound) => number().is_some_and(|number| number > *bound),
                Rule::Less(bound) => number().is_some_and(|number| number < *bound),
            }
        })
    }
}
