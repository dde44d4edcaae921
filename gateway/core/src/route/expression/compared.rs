//! The texts that an expression compares a fact with.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, operators as op},
};

use super::check::{dotted_name, text};

/// What `fact` is compared with by `==`, `!=` or `in`, as far as it is written there. Of a checked expression, whose
/// nesting has a bound.
pub(super) fn with<'e>(expr: &'e IdedExpr, fact: &str) -> Vec<&'e str> {
    let mut texts = Vec::new();
    collect(expr, fact, &mut texts);
    texts
}

fn collect<'e>(expr: &'e IdedExpr, fact: &str, texts: &mut Vec<&'e str>) {
    match &expr.expr {
        Expr::Select(select) => collect(&select.operand, fact, texts),
        Expr::List(list) => list.elements.iter().for_each(|item| collect(item, fact, texts)),
        Expr::Call(call) => {
            let operands = call.target.iter().map(AsRef::as_ref).chain(&call.args);
            operands.clone().for_each(|operand| collect(operand, fact, texts));
            texts.extend(compared(call, fact));
        }
        _ => {}
    }
}

fn compared<'e>(call: &'e CallExpr, fact: &str) -> Vec<&'e str> {
    let is_fact = |expr: &IdedExpr| dotted_name(expr).is_some_and(|name| name == fact);
    match (call.func_name.as_str(), call.args.as_slice()) {
        (op::EQUALS | op::NOT_EQUALS, [one, other]) if is_fact(one) => text(other).into_iter().collect(),
        (op::EQUALS | op::NOT_EQUALS, [one, other]) if is_fact(other) => text(one).into_iter().collect(),
        (op::IN, [one, list]) if is_fact(one) => match &list.expr {
            Expr::List(list) => list.elements.iter().filter_map(text).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
