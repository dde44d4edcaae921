//! Finds what is wrong with an expression before there is an event. The library itself would only tell when one comes.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue, operators as op},
};

use super::{ExpressionError, facts};
use crate::event::Kind;

/// What a part of an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Truth,
    Number,
    Text,
    Labels,
    Numbers,
    Texts,
}

impl Type {
    fn in_words(self) -> &'static str {
        match self {
            Self::Truth => "true or false",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Labels => "labels",
            Self::Numbers => "a list of numbers",
            Self::Texts => "a list of texts",
        }
    }
}

/// The functions there are; the dots are for those that are called on a text or on labels.
pub(super) const FUNCTIONS: [&str; 6] = ["has", "size", ".size", ".contains", ".startsWith", ".endsWith"];

/// Checks that an expression, nested at most `depth` deep, is true or false of every event.
pub(super) fn condition(root: &IdedExpr, depth: u16) -> Result<(), ExpressionError> {
    match type_of(root, depth)? {
        Type::Truth => Ok(()),
        other => Err(ExpressionError::NotACondition(other.in_words())),
    }
}

fn type_of(expr: &IdedExpr, depth: u16) -> Result<Type, ExpressionError> {
    let depth = depth.checked_sub(1).ok_or(ExpressionError::TooDeep)?;
    match &expr.expr {
        Expr::Literal(literal) => literal_type(literal),
        Expr::Ident(_) => fact(expr),
        Expr::Select(select) if select.test => match fact(&select.operand) {
            Ok(Type::Labels) => Ok(Type::Truth),
            _ => {
                Err(ExpressionError::LeftOut("has() of anything but a label, as in has(event.labels.team),"))
            }
        },
        Expr::Select(select) => match fact(&select.operand) {
            Ok(Type::Labels) => Ok(Type::Text),
            _ => fact(expr),
        },
        Expr::Call(call) => call_type(call, depth),
        Expr::List(list) => {
            let items =
                list.elements.iter().map(|item| type_of(item, depth)).collect::<Result<Vec<_>, _>>()?;
            match items.first() {
                Some(Type::Text) if items.iter().all(|item| *item == Type::Text) => Ok(Type::Texts),
                Some(Type::Number) if items.iter().all(|item| *item == Type::Number) => Ok(Type::Numbers),
                _ => Err(ExpressionError::LeftOut("a list of anything but texts, or but numbers,")),
            }
        }
        Expr::Comprehension(_) => Err(ExpressionError::LeftOut("all, exists, exists_one, filter or map")),
        Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => Err(ExpressionError::LeftOut("{ }")),
    }
}

fn literal_type(literal: &LiteralValue) -> Result<Type, ExpressionError> {
    match literal {
        LiteralValue::Boolean(_) => Ok(Type::Truth),
        LiteralValue::Int(_) => Ok(Type::Number),
        LiteralValue::String(_) => Ok(Type::Text),
        LiteralValue::Double(_) | LiteralValue::UInt(_) => {
            Err(ExpressionError::LeftOut("a number that is not written as a whole one, like 1500,"))
        }
        LiteralValue::Bytes(_) | LiteralValue::Null => Err(ExpressionError::LeftOut("null or bytes")),
    }
}

/// The type of a fact, given by its name with dots.
fn fact(expr: &IdedExpr) -> Result<Type, ExpressionError> {
    let name = dotted_name(expr).ok_or(ExpressionError::LeftOut("a dot behind anything but a name"))?;
    facts::type_of(&name).ok_or(ExpressionError::UnknownFact { name })
}

pub(super) fn dotted_name(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            dotted_name(&select.operand).map(|name| format!("{name}.{}", select.field))
        }
        _ => None,
    }
}

fn call_type(call: &CallExpr, depth: u16) -> Result<Type, ExpressionError> {
    let function = match call.target {
        Some(_) => format!(".{}", call.func_name),
        None => call.func_name.clone(),
    };
    let name = written(&function);
    if name == function && !FUNCTIONS.contains(&name) {
        return Err(ExpressionError::UnknownFunction { name: function });
    }
    let operands: Vec<&IdedExpr> = call.target.iter().map(AsRef::as_ref).chain(&call.args).collect();
    if let (op::INDEX, [of, key]) = (call.func_name.as_str(), operands.as_slice()) {
        indexed(of, key)?;
    }
    let arguments = operands.iter().copied();
    let arguments = arguments.map(|argument| type_of(argument, depth)).collect::<Result<Vec<_>, _>>()?;
    let result = result(&function, &arguments).ok_or_else(|| {
        let words: Vec<_> = arguments.iter().map(|argument| argument.in_words()).collect();
        let arguments = if words.is_empty() { "nothing".to_owned() } else { words.join(" and ") };
        ExpressionError::Arguments { function: name.to_owned(), arguments }
    })?;
    can_hold(&function, &operands)?;
    Ok(result)
}

/// Refuses `event["kind"]`, which is `event.kind`.
fn indexed(of: &IdedExpr, key: &IdedExpr) -> Result<(), ExpressionError> {
    let (Some(name), Some(key)) = (dotted_name(of), text(key)) else { return Ok(()) };
    let meant = format!("{name}.{key}");
    if facts::type_of(&meant).is_none() {
        return Ok(());
    }
    Err(ExpressionError::Indexed { written: format!("{name}[\"{key}\"]"), meant })
}

/// Refuses what can be seen to hold for every event or for none: a fact compared with a word that it never is, and a
/// division by a written zero.
fn can_hold(function: &str, operands: &[&IdedExpr]) -> Result<(), ExpressionError> {
    match (function, operands) {
        (op::EQUALS | op::NOT_EQUALS, [one, other]) => {
            known_word(one, other)?;
            known_word(other, one)
        }
        (op::IN, [one, list]) => match &list.expr {
            Expr::List(list) => list.elements.iter().try_for_each(|item| known_word(one, item)),
            _ => Ok(()),
        },
        (op::DIVIDE | op::MODULO, [_, divisor]) => match &divisor.expr {
            Expr::Literal(LiteralValue::Int(number)) if *number.inner() == 0 => {
                Err(ExpressionError::DivisionByZero)
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn known_word(fact: &IdedExpr, word: &IdedExpr) -> Result<(), ExpressionError> {
    let (Some(fact), Some(word)) = (dotted_name(fact), text(word)) else { return Ok(()) };
    match facts::words(&fact) {
        // A kind that a plugin makes: only who knows the plugins can say whether there is one.
        Some(_) if fact == facts::KIND && word.parse::<Kind>().is_ok() => Ok(()),
        // Every event has a kind, and asking for none is still no slip of a word.
        Some(known) if !word.is_empty() && !known.contains(&word) => {
            Err(ExpressionError::UnknownWord { fact, word: word.to_owned(), known })
        }
        _ => Ok(()),
    }
}

/// A text as it is written.
pub(super) fn text(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// What an operator or function gives for what it is given; `None` when it cannot take that.
fn result(function: &str, arguments: &[Type]) -> Option<Type> {
    use Type::{Labels, Number, Numbers, Text, Texts, Truth};
    match (function, arguments) {
        (op::LOGICAL_AND | op::LOGICAL_OR, [Truth, Truth]) | (op::LOGICAL_NOT, [Truth]) => Some(Truth),
        (op::CONDITIONAL, [Truth, one, other]) if one == other => Some(*one),
        (op::EQUALS | op::NOT_EQUALS, [Truth, Truth] | [Number, Number] | [Text, Text]) => Some(Truth),
        (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [Number, Number] | [Text, Text]) => {
            Some(Truth)
        }
        (op::IN, [Text, Texts | Labels] | [Number, Numbers]) => Some(Truth),
        (op::INDEX, [Labels, Text]) => Some(Text),
        (op::ADD, [Text, Text]) => Some(Text),
        (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, [Number, Number])
        | (op::NEGATE, [Number])
        | ("size" | ".size", [Text | Labels | Texts | Numbers]) => Some(Number),
        (".contains" | ".startsWith" | ".endsWith", [Text, Text]) => Some(Truth),
        _ => None,
    }
}

/// An operator as people write it; a function's name as it is.
fn written(function: &str) -> &str {
    match function {
        op::LOGICAL_AND => "&&",
        op::LOGICAL_OR => "||",
        op::LOGICAL_NOT => "!",
        op::CONDITIONAL => "? :",
        op::EQUALS => "==",
        op::NOT_EQUALS => "!=",
        op::LESS => "<",
        op::LESS_EQUALS => "<=",
        op::GREATER => ">",
        op::GREATER_EQUALS => ">=",
        op::IN => "in",
        op::INDEX => "[ ]",
        op::ADD => "+",
        op::SUBSTRACT | op::NEGATE => "-",
        op::MULTIPLY => "*",
        op::DIVIDE => "/",
        op::MODULO => "%",
        function => function,
    }
}
