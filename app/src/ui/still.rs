//! What nothing in it comes to life in: rows, lists of links, whole tables. It is written in one go, where a
//! view would be built, and in the browser looked for, element by element.

use leptos::prelude::*;
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types::{Element, Node, TemplateElement};
use leptos::tachys::renderer::{CastFrom, Rndr};
use leptos::tachys::view::{Position, PositionState};
use leptos::wasm_bindgen::JsCast as _;
use maud::Markup;

/// A view of one element, in which nothing listens and nothing changes by itself. When it is another, all
/// of it is replaced.
pub(crate) fn still(element: Markup) -> AnyView {
    Still(element.into_string()).into_any()
}

/// The HTML of one element. What leptos has for that (`InertElement`) is made for what stands in the
/// program: it keeps each that a browser ever showed, names and passwords with it.
struct Still(String);

/// The element, and the HTML that it was made of.
struct Shown(Element, String);

fn made_of(html: &str) -> Element {
    let template = Rndr::create_element("template", None);
    template.set_inner_html(html);
    let content = template.unchecked_ref::<TemplateElement>().content();
    content.unchecked_ref::<Element>().first_element_child().unwrap_or(template)
}

impl Mountable for Shown {
    fn unmount(&mut self) {
        self.0.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.0.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.0.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        vec![self.0.clone()]
    }
}

impl Render for Still {
    type State = Shown;

    fn build(self) -> Shown {
        Shown(made_of(&self.0), self.0)
    }

    fn rebuild(self, shown: &mut Shown) {
        if self.0 != shown.1 {
            let mut next = self.build();
            shown.insert_before_this(&mut next);
            shown.unmount();
            *shown = next;
        }
    }
}

impl AddAnyAttr for Still {
    type Output<NewAttr: Attribute> = Self;

    /// Nothing is spread over what is still.
    fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self {
        self
    }
}

impl RenderHtml for Still {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn html_len(&self) -> usize {
        self.0.len()
    }

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        written: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra_attrs: Vec<AnyAttribute>,
    ) {
        written.push_str(&self.0);
        *position = Position::NextChild;
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Shown {
        match position.get() {
            Position::FirstChild => cursor.child(),
            Position::Current => {}
            _ => cursor.sibling(),
        }
        position.set(Position::NextChild);
        let found = Element::cast_from(cursor.current());
        Shown(found.unwrap_or_else(|| made_of(&self.0)), self.0)
    }

    fn into_owned(self) -> Self {
        self
    }
}
