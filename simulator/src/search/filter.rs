//! The `filter` argument of the search.

use std::cmp::Ordering;

use async_graphql_value::ConstValue;
use serde_json::Value;

use super::QueryError;
use super::row::Row;
use crate::task::Task;

/// What a filter may name, beside `callbackData`, the variables, `and`, `or` and `not`. `createdTime` is not in it.
const FIELDS: [&str; 17] = [
    "id",
    "status",
    "isActive",
    "channelType",
    "direction",
    "outdialType",
    "isCallback",
    "origin",
    "destination",
    "endedTime",
    "terminationType",
    "terminationReason",
    "terminatingEnd",
    "contactHandleType",
    "lastQueue",
    "lastAgent",
    "lastEntryPoint",
];

/// Whether a task cannot fit, seen from its number and id alone: with many tasks, making a row of each is what costs.
pub(super) fn rules_out(filter: &ConstValue, task: &Task) -> bool {
    let ConstValue::Object(parts) = filter else { return false };
    let differs = |name: &str, actual: &str| {
        let Some(ConstValue::Object(comparisons)) = parts.get(name) else { return false };
        matches!(comparisons.get("equals"), Some(ConstValue::String(wanted)) if wanted != actual)
    };
    differs("id", &task.id) || differs("destination", &task.destination)
}

/// Whether a row fits; every part of the filter is read, so that a mistake shows in any row.
pub(super) fn matches(filter: &ConstValue, row: &Row) -> Result<bool, QueryError> {
    let ConstValue::Object(parts) = filter else { return Err("filter must be an object.".to_owned()) };
    let mut all = true;
    for (name, part) in parts {
        all &= match name.as_str() {
            "and" => every(part, row)?.into_iter().all(|holds| holds),
            "or" => every(part, row)?.into_iter().any(|holds| holds),
            "not" => !matches(part, row)?,
            "callbackData" => callback_data(part, row)?,
            "stringGlobalVariables" => variables(part, row)?,
            field if FIELDS.contains(&field) => {
                compares(field, part, row.values.get(field).unwrap_or(&Value::Null))?
            }
            field => return Err(undefined(field)),
        };
    }
    Ok(all)
}

fn undefined(field: &str) -> QueryError {
    format!("filter: the field '{field}' is not defined.")
}

fn every(parts: &ConstValue, row: &Row) -> Result<Vec<bool>, QueryError> {
    match parts {
        ConstValue::List(parts) => parts.iter().map(|part| matches(part, row)).collect(),
        part => Ok(vec![matches(part, row)?]),
    }
}

/// `{ equals: { callbackNumber: "…" } }`: the comparison stands outside of the record.
fn callback_data(part: &ConstValue, row: &Row) -> Result<bool, QueryError> {
    let ConstValue::Object(comparisons) = part else { return Err(undefined("callbackData")) };
    let Some(Value::Object(record)) = row.values.get("callbackData") else { return Ok(false) };
    let mut all = true;
    for (operator, members) in comparisons {
        let ConstValue::Object(members) = members else {
            return Err(format!("filter: callbackData.{operator} must be an object."));
        };
        for (name, wanted) in members {
            let actual =
                record.get(name.as_str()).ok_or_else(|| undefined(&format!("callbackData.{name}")))?;
            all &= holds(operator.as_str(), wanted, actual)?;
        }
    }
    Ok(all)
}

/// Name and value must be those of one variable.
fn variables(part: &ConstValue, row: &Row) -> Result<bool, QueryError> {
    let ConstValue::Object(members) = part else { return Err(undefined("stringGlobalVariables")) };
    if let Some(name) = members.keys().find(|name| !matches!(name.as_str(), "name" | "value")) {
        return Err(undefined(&format!("stringGlobalVariables.{name}")));
    }
    // Read once without a row, so that a mistake shows when there is no variable.
    for wanted in members.values() {
        compares("stringGlobalVariables", wanted, &Value::String(String::new()))?;
    }
    for (name, value) in &row.variables {
        let fits = |member: &str, actual: &str| match members.get(member) {
            Some(wanted) => compares(member, wanted, &Value::from(actual)),
            None => Ok(true),
        };
        if fits("name", name)? && fits("value", value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `{ equals: … }`, or `{ id: { equals: … } }` where the value is a record.
fn compares(field: &str, part: &ConstValue, actual: &Value) -> Result<bool, QueryError> {
    let ConstValue::Object(comparisons) = part else {
        return Err(format!("filter: '{field}' needs a comparison such as {{ equals: … }}."));
    };
    let mut all = true;
    for (operator, wanted) in comparisons {
        all &= if let Value::Object(members) = actual {
            let member =
                members.get(operator.as_str()).ok_or_else(|| undefined(&format!("{field}.{operator}")))?;
            compares(operator.as_str(), wanted, member)?
        } else {
            check_kind(field, wanted)?;
            holds(operator.as_str(), wanted, actual)?
        };
    }
    Ok(all)
}

/// The channel is an enumeration, written without quotes; everything else that reads like a word has them.
fn check_kind(field: &str, wanted: &ConstValue) -> Result<(), QueryError> {
    match (field, wanted) {
        ("channelType", ConstValue::String(_)) => Err("filter: channelType is an enumeration.".to_owned()),
        ("channelType", _) => Ok(()),
        (_, ConstValue::Enum(name)) => Err(format!("filter: {field} is not an enumeration, quote '{name}'.")),
        _ => Ok(()),
    }
}

fn holds(operator: &str, wanted: &ConstValue, actual: &Value) -> Result<bool, QueryError> {
    let json = |value: &ConstValue| value.clone().into_json().map_err(|error| error.to_string());
    match operator {
        "equals" => Ok(json(wanted)? == *actual),
        "notequals" => Ok(json(wanted)? != *actual),
        "in" => match wanted {
            ConstValue::List(values) => {
                let values: Vec<Value> = values.iter().map(json).collect::<Result<_, _>>()?;
                Ok(values.contains(actual))
            }
            _ => Err("filter: 'in' needs a list.".to_owned()),
        },
        "gt" | "gte" | "lt" | "lte" => {
            let wanted = json(wanted)?
                .as_i64()
                .ok_or_else(|| format!("filter: '{operator}' needs a whole number."))?;
            let Some(actual) = actual.as_i64() else { return Ok(false) };
            let order = actual.cmp(&wanted);
            Ok(match operator {
                "gt" => order == Ordering::Greater,
                "gte" => order != Ordering::Less,
                "lt" => order == Ordering::Less,
                _ => order != Ordering::Greater,
            })
        }
        other => Err(format!("filter: the comparison '{other}' is not defined.")),
    }
}
