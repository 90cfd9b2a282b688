//! Which members of the rows a query selects, and under which names.

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{Field, Selection, SelectionSet};
use async_graphql_value::ConstValue;
use serde_json::{Map, Value, json};

use super::row::{Row, sample};
use super::{QueryError, argument};

/// The selection of a root field.
pub(super) struct Selected(Vec<Part>);

enum Part {
    Tasks { key: String, columns: Vec<Column> },
    PageInfo { key: String, fields: Vec<Leaf> },
}

enum Column {
    Scalar(Leaf),
    Record { leaf: Leaf, fields: Vec<Leaf> },
    Variable { key: String, name: String, fields: Vec<Leaf> },
}

/// A member and the name it is answered under.
struct Leaf {
    key: String,
    name: String,
}

impl Leaf {
    fn of(field: &Field) -> Self {
        Self { key: field.response_key().node.to_string(), name: field.name.node.to_string() }
    }
}

/// Reads the selection of a root field; a member that does not exist is an error.
pub(super) fn read(root: &Field, variables: &Map<String, Value>) -> Result<Selected, QueryError> {
    let mut parts = Vec::new();
    for field in fields("TaskDetailsList", &root.selection_set)? {
        let key = field.response_key().node.to_string();
        parts.push(match field.name.node.as_str() {
            "tasks" => Part::Tasks { key, columns: columns(field, variables)? },
            "pageInfo" => Part::PageInfo {
                key,
                fields: leaves("PageInfo", &field.selection_set, |name| {
                    matches!(name, "hasNextPage" | "endCursor")
                })?,
            },
            other => return Err(undefined(other, "TaskDetailsList")),
        });
    }
    Ok(Selected(parts))
}

fn undefined(name: &str, of: &str) -> QueryError {
    format!("Field '{name}' in type '{of}' is undefined.")
}

/// A record must have a selection.
fn fields<'a>(of: &str, set: &'a Positioned<SelectionSet>) -> Result<Vec<&'a Field>, QueryError> {
    if set.node.items.is_empty() {
        return Err(format!("Sub-selection required for type '{of}'."));
    }
    set.node
        .items
        .iter()
        .map(|item| match &item.node {
            Selection::Field(field) => Ok(&field.node),
            _ => Err("Fragments are not played by the simulator.".to_owned()),
        })
        .collect()
}

fn leaves(
    of: &str,
    set: &Positioned<SelectionSet>,
    exists: impl Fn(&str) -> bool,
) -> Result<Vec<Leaf>, QueryError> {
    fields(of, set)?
        .into_iter()
        .map(|field| {
            let name = field.name.node.as_str();
            if !exists(name) {
                return Err(undefined(name, of));
            }
            check_scalar(field)?;
            Ok(Leaf::of(field))
        })
        .collect()
}

fn check_scalar(field: &Field) -> Result<(), QueryError> {
    if field.selection_set.node.items.is_empty() {
        Ok(())
    } else {
        Err(format!("Sub-selection not allowed on leaf '{}'.", field.name.node))
    }
}

fn columns(tasks: &Field, variables: &Map<String, Value>) -> Result<Vec<Column>, QueryError> {
    let sample = sample().values;
    let mut columns = Vec::new();
    for field in fields("TaskDetails", &tasks.selection_set)? {
        let name = field.name.node.as_str();
        if name == "stringGlobalVariables" {
            columns.push(variable(field, variables)?);
            continue;
        }
        columns.push(match sample.get(name) {
            None => return Err(undefined(name, "TaskDetails")),
            Some(Value::Object(members)) => Column::Record {
                leaf: Leaf::of(field),
                fields: leaves(name, &field.selection_set, |member| members.contains_key(member))?,
            },
            Some(_) => {
                check_scalar(field)?;
                Column::Scalar(Leaf::of(field))
            }
        });
    }
    Ok(columns)
}

fn variable(field: &Field, variables: &Map<String, Value>) -> Result<Column, QueryError> {
    let Some(ConstValue::String(name)) = argument(field, "name", variables)? else {
        return Err("stringGlobalVariables needs the argument name.".to_owned());
    };
    let exists = |member: &str| matches!(member, "name" | "value");
    Ok(Column::Variable {
        key: field.response_key().node.to_string(),
        name,
        fields: leaves("StringGlobalVariable", &field.selection_set, exists)?,
    })
}

impl Selected {
    /// The answer to the root field.
    pub(super) fn project(&self, rows: &[Row], more: bool, end_cursor: &str) -> Value {
        let mut answer = Map::new();
        for part in &self.0 {
            match part {
                Part::Tasks { key, columns } => {
                    let rows: Vec<Value> = rows.iter().map(|row| project_row(row, columns)).collect();
                    answer.insert(key.clone(), Value::Array(rows));
                }
                Part::PageInfo { key, fields } => {
                    let info = json!({ "hasNextPage": more, "endCursor": end_cursor });
                    answer.insert(key.clone(), pick(&info, fields));
                }
            }
        }
        Value::Object(answer)
    }
}

fn project_row(row: &Row, columns: &[Column]) -> Value {
    let mut answer = Map::new();
    for column in columns {
        match column {
            Column::Scalar(leaf) => {
                answer.insert(leaf.key.clone(), row.values.get(&leaf.name).cloned().unwrap_or_default());
            }
            Column::Record { leaf, fields } => {
                let record = row.values.get(&leaf.name).unwrap_or(&Value::Null);
                answer.insert(leaf.key.clone(), pick(record, fields));
            }
            Column::Variable { key, name, fields } => {
                let variable = row.variables.get(name).map(|value| json!({ "name": name, "value": value }));
                answer.insert(key.clone(), pick(&variable.unwrap_or_default(), fields));
            }
        }
    }
    Value::Object(answer)
}

fn pick(record: &Value, fields: &[Leaf]) -> Value {
    let Value::Object(members) = record else { return Value::Null };
    let picked = |leaf: &Leaf| (leaf.key.clone(), members.get(&leaf.name).cloned().unwrap_or_default());
    Value::Object(fields.iter().map(picked).collect())
}
