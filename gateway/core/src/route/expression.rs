//! `when`: a condition of a route as an expression in CEL, the Common Expression Language.
//!
//! All of the language that needs no loop: comparisons, `&&`, `||`, `!`, `? :`, `in`, sums, and a few functions of texts.
//! An expression is short, and what it can see is small, so it costs an event next to nothing however it is written.

mod check;
mod compared;
mod facts;
mod remedy;
mod syntax;

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use cel::{Context, Env, ExecutionError, IdedExpr, Value, parser::PrattParser};

use self::facts::FactsOf;
use crate::{event::Event, limits};

/// Deepest nesting, which bounds the stack that reading and evaluating take.
const DEPTH_MAX: u16 = 32;
/// Most operands and operators.
const NODES_MAX: usize = 512;

/// An expression that has been checked: it asks only for what events have, and it says true or false.
#[derive(Clone)]
pub struct Expression {
    source: Arc<str>,
    root: Arc<IdedExpr>,
}

/// Why a text is no expression for a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// Longer than any needs to be.
    #[error("the expression has {bytes} bytes, {} are allowed", limits::WHEN_BYTES_MAX)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// There is nothing in it.
    #[error("the expression is empty")]
    Empty,
    /// Nested too deep.
    #[error("the expression is nested more than {DEPTH_MAX} deep")]
    TooDeep,
    /// It cannot be read.
    #[error("the expression cannot be read at line {line}, column {column}: {message}")]
    Syntax {
        /// Line within the expression, from 1.
        line: usize,
        /// Column in that line, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
        /// What to do about it, where that can be told.
        remedy: Option<&'static str>,
    },
    /// It asks for something that events do not have.
    #[error("an event has no `{name}`")]
    UnknownFact {
        /// What it asks for.
        name: String,
    },
    /// It asks for a fact as if it were an entry of a table.
    #[error("`{written}` cannot be used here")]
    Indexed {
        /// What it asks for.
        written: String,
        /// The fact with dots.
        meant: String,
    },
    /// It compares a fact with a word that it never is, so that the comparison says the same of every event.
    #[error("`{fact}` is never \"{word}\"")]
    UnknownWord {
        /// The fact.
        fact: String,
        /// The word.
        word: String,
        /// All the words that it can be.
        known: Vec<&'static str>,
    },
    /// It divides by a zero that is written there.
    #[error("a division by zero")]
    DivisionByZero,
    /// It calls a function that is not there.
    #[error("there is no function `{name}`")]
    UnknownFunction {
        /// What it calls.
        name: String,
    },
    /// An operator or function is given what it cannot take.
    #[error("`{function}` cannot take {arguments}")]
    Arguments {
        /// The operator or function.
        function: String,
        /// What it is given, in words.
        arguments: String,
    },
    /// It uses a part of the language that is left out here.
    #[error("{0} cannot be used here")]
    LeftOut(&'static str),
    /// It is no condition.
    #[error("the expression gives {0} instead of true or false")]
    NotACondition(&'static str),
}

/// Why an expression says nothing about an event. It does not match then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// It reads a label that the event does not have.
    #[error("the event has no label \"{0}\"")]
    NoLabel(String),
    /// It divides by zero.
    #[error("a division by zero")]
    DivisionByZero,
    /// A number has become too large.
    #[error("a number is too large")]
    Overflow,
    /// Anything else, which the check should have found.
    #[error("it cannot be evaluated")]
    Fault,
}

impl ExpressionError {
    /// What to do about it, as far as that can be told without comparing names: "did you mean …".
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Empty => {
                Some("leave it out, or write a condition, as in event.verdict == 'failed'".to_owned())
            }
            Self::Syntax { remedy, .. } => remedy.map(str::to_owned),
            Self::UnknownFact { name } => remedy::of_fact(name),
            Self::Indexed { meant, .. } => Some(format!("did you mean {meant}?")),
            Self::UnknownWord { .. } | Self::UnknownFunction { .. } | Self::DivisionByZero => None,
            Self::Arguments { .. } | Self::NotACondition(_) => Some(
                "compare, as in event.verdict == 'failed' or monitor.name.startsWith('Checkout')".to_owned(),
            ),
            Self::TooLong { .. } | Self::TooDeep | Self::LeftOut(_) => {
                Some("use the other conditions of the route, or several routes".to_owned())
            }
        }
    }
}

impl Expression {
    /// What expressions can ask for: `event.kind`, `monitor.name` …
    pub fn facts() -> impl Iterator<Item = &'static str> {
        facts::names()
    }

    /// The functions that expressions can call.
    pub fn functions() -> impl Iterator<Item = &'static str> {
        check::FUNCTIONS.into_iter()
    }

    /// Reads and checks `source`.
    ///
    /// # Errors
    /// When it is no condition over what events have. Nothing but a missing label and bad arithmetic is left to go wrong
    /// when it is evaluated.
    pub fn new(source: &str) -> Result<Self, ExpressionError> {
        if source.len() > limits::WHEN_BYTES_MAX {
            return Err(ExpressionError::TooLong { bytes: source.len() });
        }
        let parser = PrattParser::new().max_recursion_depth(DEPTH_MAX).max_expression_node_count(NODES_MAX);
        let root = parser.parse(source).map_err(|errors| syntax::error(source, &errors))?;
        check::condition(&root, DEPTH_MAX)?;
        Ok(Self { source: source.into(), root: Arc::new(root) })
    }

    /// The names that it compares `event.source` with. Only the configuration knows which sources there are.
    #[must_use]
    pub fn sources(&self) -> Vec<&str> {
        compared::with(&self.root, "event.source")
    }

    /// The names that it compares `event.kind` with. Only the plugins know which kinds there are besides the gateway's.
    #[must_use]
    pub fn kinds(&self) -> Vec<&str> {
        compared::with(&self.root, facts::KIND)
    }

    /// Whether it holds for `event`.
    ///
    /// # Errors
    /// When it cannot be said, as when a label is missing.
    pub fn holds(&self, event: &Event) -> Result<bool, Undecided> {
        static FUNCTIONS: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));
        let facts = FactsOf::new(event);
        let mut context = Context::with_env(Arc::clone(&FUNCTIONS));
        context.set_variable_resolver(&facts);
        match Value::resolve(&self.root, &context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err(Undecided::Fault),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<ExecutionError> for Undecided {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::NoSuchKey(label) => Self::NoLabel(label.to_string()),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => Self::DivisionByZero,
            ExecutionError::Overflow(..) => Self::Overflow,
            _ => Self::Fault,
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({self})")
    }
}

#[cfg(test)]
mod tests;
