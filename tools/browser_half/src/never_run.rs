//! Leaves out functions that the browser never runs, though something refers to them: what views have for coming to
//! life while their code is on its way. They are a twelfth of what a page takes. What they alone need goes with them, as
//! the module is parted by what refers to what.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use anyhow::{Result, ensure};
use wasm_encoder::{CustomSection, Encode as _, Module, RawSection};
use wasmparser::{
    FunctionBody, KnownCustom, Name, NameSectionReader, Parser, Payload, RelocSectionReader,
    TypeRef,
};

/// What such functions are called, and the closures within them. A page's code is there before the page comes to life
/// (`frontend/src/lib.rs`), so that it doesn't wait meanwhile: nothing may call leptos' `hydrate_from_async`.
const NEVER_RUN: &str = "hydrate_async";

/// This module, as the linker leaves it, with a trap in place of what those functions do.
pub(crate) fn without_never_run(mut wasm: Vec<u8>) -> Result<Vec<u8>> {
    let never_run = bodies(&wasm)?;
    for body in &never_run {
        // No local variables, the trap, and as many instructions that do nothing as there is room.
        let body = &mut wasm[body.clone()];
        body.fill(0x01);
        if let [locals, trap, .., end] = body {
            (*locals, *trap, *end) = (0x00, 0x00, 0x0b);
        }
    }
    without_relocations(&wasm, &never_run)
}

/// Where the bodies of those functions are, in their order.
fn bodies(wasm: &[u8]) -> Result<Vec<Range<usize>>> {
    let mut imported = 0;
    let mut bodies = Vec::new();
    let mut named = HashSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(range_of(&body)?),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    named = numbers(names)?;
                }
            }
            _ => {}
        }
    }
    // No longer than the trap are those that have nothing to do.
    let is_left_out = |(index, body): &(usize, Range<usize>)| {
        named.contains(&(imported + index)) && body.len() > 3
    };
    let never_run: Vec<_> =
        bodies.into_iter().enumerate().filter(is_left_out).map(|(_, body)| body).collect();
    ensure!(
        !never_run.is_empty(),
        "No function is called {NEVER_RUN} any more: how do views come to life now?"
    );
    Ok(never_run)
}

/// The numbers of those functions.
fn numbers(names: NameSectionReader<'_>) -> Result<HashSet<usize>> {
    let mut numbers = HashSet::new();
    for names in names {
        let Name::Function(names) = names? else { continue };
        for name in names {
            let name = name?;
            if is_never_run(name.name) {
                numbers.insert(name.index as usize);
            }
        }
    }
    Ok(numbers)
}

/// Whether the compiler's name is that of such a function: the path, and a hash.
fn is_never_run(name: &str) -> bool {
    let path = name.rsplit_once("17h").map_or(name, |(path, _hash)| path);
    path.trim_end_matches("28_$u7b$$u7b$closure$u7d$$u7d$").ends_with(NEVER_RUN)
}

fn range_of(body: &FunctionBody<'_>) -> Result<Range<usize>> {
    let range = body.range();
    Ok(usize::try_from(range.start)?..usize::try_from(range.end)?)
}

/// Without what stood in these bodies to be filled in where functions and data come to lie.
fn without_relocations(wasm: &[u8], bodies: &[Range<usize>]) -> Result<Vec<u8>> {
    let mut code = 0;
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let Payload::CodeSectionStart { range, .. } = &payload {
            code = usize::try_from(range.start)?;
        }
        let Some((id, range)) = payload.as_section() else { continue };
        let data = &wasm[usize::try_from(range.start)?..usize::try_from(range.end)?];
        if let Payload::CustomSection(section) = &payload
            && let KnownCustom::Reloc(relocations) = section.as_known()
            && section.name() == "reloc.CODE"
        {
            let kept = kept(wasm, &relocations, |offset| {
                let after = bodies.partition_point(|body| body.start <= code + offset);
                after > 0 && bodies[after - 1].contains(&(code + offset))
            })?;
            module.section(&CustomSection {
                name: Cow::Borrowed(section.name()),
                data: Cow::Owned(kept),
            });
        } else {
            module.section(&RawSection { id, data });
        }
    }
    Ok(module.finish())
}

/// The relocations that stand elsewhere, as the section has them.
fn kept(
    wasm: &[u8],
    relocations: &RelocSectionReader<'_>,
    is_gone: impl Fn(usize) -> bool,
) -> Result<Vec<u8>> {
    let entries = relocations.entries();
    let end = usize::try_from(entries.range().end)?;
    let entries: Vec<_> = entries.into_iter_with_offsets().collect::<Result<_, _>>()?;
    let starts =
        entries.iter().map(|(start, _)| usize::try_from(*start)).collect::<Result<Vec<_>, _>>()?;
    let ends = starts.iter().skip(1).copied().chain([end]);
    let mut count = 0_u32;
    let mut content = Vec::new();
    for ((&start, end), (_, entry)) in starts.iter().zip(ends).zip(&entries) {
        if !is_gone(entry.offset as usize) {
            count += 1;
            content.extend_from_slice(&wasm[start..end]);
        }
    }
    let mut section = Vec::new();
    relocations.section_index().encode(&mut section);
    count.encode(&mut section);
    section.extend(content);
    Ok(section)
}
