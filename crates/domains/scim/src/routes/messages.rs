//! The messages as the reference shows them; their schemas are made of the same tables as `/Schemas`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Array, Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::resources::{AGENT, GROUP, USER};
use crate::schema::{Attribute, Kind, ResourceType};

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $known_as:literal, $schema:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Value);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                $known_as.into()
            }
        }
    )+};
}

messages! {
    /// A user, as it is sent and shown.
    UserResource = "ScimUser", of_resource(&USER);
    GroupResource = "ScimGroup", of_resource(&GROUP);
    AgentResource = "ScimAgent", of_resource(&AGENT);
    PatchMessage = "ScimPatch", of_patch();
    SearchMessage = "ScimSearch", of_search();
    Listed = "ScimList", of_list();
    /// What discovery shows.
    Described = "ScimDescription", of_description();
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn texts() -> Array {
    Array::new(text())
}

fn of_resource(of: &ResourceType) -> Object {
    let object =
        ObjectBuilder::new().description(Some(of.about)).property("schemas", texts()).required("schemas");
    of.all()
        .fold(object, |object, attribute| object.property(attribute.name, of_attribute(attribute)))
        .build()
}

fn of_attribute(attribute: &Attribute) -> RefOr<Schema> {
    let one: ObjectBuilder = match attribute.kind {
        Kind::Text | Kind::Reference | Kind::Time => text(),
        Kind::Flag => ObjectBuilder::new().schema_type(Type::Boolean),
        Kind::Complex => attribute
            .subs
            .iter()
            .fold(ObjectBuilder::new(), |object, sub| object.property(sub.name, of_attribute(sub))),
    };
    if attribute.multi {
        let mut list = Array::new(one);
        list.description = Some(attribute.about.to_owned());
        return RefOr::T(Schema::Array(list));
    }
    RefOr::T(Schema::Object(one.description(Some(attribute.about)).build()))
}

fn of_patch() -> Object {
    let operation = ObjectBuilder::new()
        .property("op", text().description(Some("`add`, `replace` or `remove`.")))
        .required("op")
        .property("path", text().description(Some("Such as `members[value eq \"usr_…\"]`.")))
        .property("value", ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::AnyValue));
    ObjectBuilder::new()
        .description(Some("RFC 7644 §3.5.2; at most 1,000 operations."))
        .property("schemas", texts())
        .required("schemas")
        .property("Operations", Array::new(operation))
        .required("Operations")
        .build()
}

fn of_search() -> Object {
    let number = || ObjectBuilder::new().schema_type(Type::Integer);
    ObjectBuilder::new()
        .description(Some("RFC 7644 §3.4.3."))
        .property("schemas", texts())
        .required("schemas")
        .property("filter", text())
        .property("sortBy", text())
        .property("sortOrder", text())
        .property("startIndex", number())
        .property("count", number())
        .property("attributes", texts())
        .property("excludedAttributes", texts())
        .build()
}

fn of_list() -> Object {
    let number = || ObjectBuilder::new().schema_type(Type::Integer);
    let resource = ObjectBuilder::new().property("schemas", texts());
    ["totalResults", "startIndex", "itemsPerPage"]
        .into_iter()
        .fold(ObjectBuilder::new(), |object, name| object.property(name, number()).required(name))
        .description(Some("RFC 7644 §3.4.2."))
        .property("schemas", texts())
        .required("schemas")
        .property("Resources", Array::new(resource))
        .build()
}

fn of_description() -> Object {
    ObjectBuilder::new()
        .description(Some("RFC 7643 §5 to §7."))
        .property("schemas", texts())
        .required("schemas")
        .build()
}
