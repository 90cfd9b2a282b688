//! Takes out of the module's table what nobody calls through it. Whatever stands in a table stays in the module, with all that it calls.
//!
//! wasm-bindgen's libraries describe each function of the browser's that takes a closure by a function of theirs, which names the one
//! through which the browser calls that closure. When the module is bound, the descriptions are gone; what they have named is still in the
//! table, also for what the widget does not use, and is a twentieth of the module.

use walrus::ir::Value;
use walrus::{ConstExpr, Element, ElementItems, ElementKind, FunctionId, Module, ModuleFunctions, TableId};

/// The libraries, and where in them stands what nobody calls through the table: closures are called through the exports of the module,
/// and the tasks of `js-sys` by nobody, since the widget runs its own.
const UNCALLED: [(&str, &str); 2] =
    [("wasm_bindgen", "::convert::closures::_::invoke"), ("js_sys", "::futures::")];

/// A piece of a table: which one, from where on, and what stands in it.
type Piece = (TableId, i32, Vec<FunctionId>);

/// Leaves them out, and everything else at its place.
pub(crate) fn trim(module: &mut Module) {
    let segments: Vec<_> =
        module.elements.iter().map(|element| (element.id(), pieces(element, &module.funcs))).collect();
    for (id, pieces) in segments {
        let Some(pieces) = pieces else { continue };
        for (table, start, functions) in pieces {
            let kind = ElementKind::Active { table, offset: ConstExpr::Value(Value::I32(start)) };
            let piece = module.elements.add(kind, ElementItems::Functions(functions));
            module.tables.get_mut(table).elem_segments.insert(piece);
        }
        for table in module.tables.iter_mut() {
            table.elem_segments.remove(&id);
        }
        module.elements.delete(id);
    }
    walrus::passes::gc::run(module);
}

/// What is left of a segment; `None` where it is of another kind than compilers write.
fn pieces(segment: &Element, functions: &ModuleFunctions) -> Option<Vec<Piece>> {
    let ElementKind::Active { table, offset: ConstExpr::Value(Value::I32(mut start)) } = segment.kind else {
        return None;
    };
    let ElementItems::Functions(entries) = &segment.items else { return None };
    let mut pieces = Vec::new();
    for piece in entries.split(|entry| is_uncalled(functions.get(*entry).name.as_deref().unwrap_or_default()))
    {
        if !piece.is_empty() {
            pieces.push((table, start, piece.to_vec()));
        }
        start += i32::try_from(piece.len()).ok()? + 1;
    }
    Some(pieces)
}

/// Whether it is a function of that name. Between the name of a crate and the rest stands its hash, or nothing.
fn is_uncalled(name: &str) -> bool {
    UNCALLED.iter().any(|(library, place)| name.starts_with(library) && name.contains(place))
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, RefType};

    use super::*;

    const CLOSURE: &str = "wasm_bindgen[868313ba2e92e777]::convert::closures::_::invoke::<(), true>";

    /// The names of what a segment holds, and from which place on.
    fn told(module: &Module) -> Vec<(i32, Vec<&str>)> {
        let told = |segment: &Element| {
            let (_, start, functions) = pieces(segment, &module.funcs).unwrap().remove(0);
            let name = |id: &FunctionId| module.funcs.get(*id).name.as_deref().unwrap();
            (start, functions.iter().map(name).collect())
        };
        module.elements.iter().map(told).collect()
    }

    #[test]
    fn what_nobody_calls_leaves_the_table_and_the_rest_keeps_its_place() {
        let mut module = Module::default();
        let functions = ["first", CLOSURE, CLOSURE, "second", "third", "js_sys[2e]::futures::jspi::wake"]
            .map(|name| {
                let mut builder = FunctionBuilder::new(&mut module.types, &[], &[]);
                builder.name(name.to_owned());
                builder.finish(Vec::new(), &mut module.funcs)
            });
        let table = module.tables.add_local(false, 7, None, RefType::FUNCREF);
        let kind = ElementKind::Active { table, offset: ConstExpr::Value(Value::I32(1)) };
        let segment = module.elements.add(kind, ElementItems::Functions(functions.to_vec()));
        module.tables.get_mut(table).elem_segments.insert(segment);
        module.exports.add("table", table);

        trim(&mut module);
        assert_eq!(told(&module), [(1, vec!["first"]), (4, vec!["second", "third"])]);
        assert_eq!(module.funcs.iter().count(), 3);
        crate::widget::optimize::validate(&module.emit_wasm()).unwrap();
    }

    #[test]
    fn only_functions_of_these_libraries_are_meant() {
        assert!(is_uncalled(CLOSURE));
        assert!(is_uncalled("wasm_bindgen::convert::closures::_::invoke::h0123456789abcdef"));
        assert!(!is_uncalled("ringback_widget[0]::convert::closures::_::invoke"));
        assert!(!is_uncalled("js_sys[0]::Reflect::get"));
    }
}
