//! `/mutate/own`: who asked for a claim, and who agreed to one, written down by us in an annotation of the object, as the API
//! server knows them. What somebody wrote there themselves is overwritten; where the mutation was passed by, validation
//! refuses the object.
//!
//! A stamp is about the spec: who changes it is the one who asks for it, who changes labels is not. Who breaks the glass (an
//! annotation with the reason) asks anew, and is written down with it.

use serde_json::{Value as Json, json};
use wayguard_engine::policy::spec::API_VERSION;
use wayguard_engine::request::{Operation, Request};
use wayguard_engine::value::{Value, escape_segment};

/// The kinds that are stamped, and where: `{"groups": [...], "user": "..."}`, as JSON.
const STAMPED: [(&str, &str); 2] =
    [("PlatformClaim", "wayguard.io/requester"), ("ClaimApproval", "wayguard.io/approver")];
/// With a reason in it: the claim is to be served though nobody has agreed. Only who may is taken at their word.
const GLASS: &str = "wayguard.io/break-glass";
/// The API server bounds all annotations of an object together to 256 KiB.
const MOST_GROUPS: usize = 256;

/// What an object's annotation is, and what it must be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    annotation: &'static str,
    wanted: Option<String>,
    found: Option<String>,
    bare: bool,
    /// The request asks for something, and does not only edit what is beside it.
    pub(crate) renewed: bool,
}

/// The stamp of the object under review; `None`: it bears none.
pub(crate) fn stamp(request: &Request<'_>) -> Option<Stamp> {
    let judged = matches!(request.operation, Operation::Create | Operation::Update);
    if !judged || !request.sub_resource.is_empty() || request.kind.api_version() != API_VERSION {
        return None;
    }
    let (_, annotation) = STAMPED.into_iter().find(|(kind, _)| *kind == request.kind.kind)?;
    let noted = |object: Option<Value<'_>>, name: &str| {
        let value = object?.at(&["metadata", "annotations", name])?;
        value.as_str().map(str::to_owned)
    };
    let of = |object: Option<Value<'_>>| noted(object, annotation);
    let unchanged = request.operation == Operation::Update
        && request.object.and_then(|object| object.get("spec"))
            == request.old_object.and_then(|object| object.get("spec"))
        && noted(request.object, GLASS) == noted(request.old_object, GLASS);
    let wanted =
        if unchanged { of(request.old_object) } else { Some(who(request, noted(request.object, GLASS))) };
    let annotations = request.object.and_then(|object| object.at(&["metadata", "annotations"]));
    let bare = annotations.and_then(Value::as_object).is_none();
    Some(Stamp { annotation, wanted, found: of(request.object), bare, renewed: !unchanged })
}

fn who(request: &Request<'_>, glass: Option<String>) -> String {
    let groups: Vec<&str> =
        request.groups.iter().filter_map(|group| group.as_str()).take(MOST_GROUPS).collect();
    let mut who = json!({"user": request.user, "groups": groups});
    if let (Some(members), Some(reason)) = (who.as_object_mut(), glass.filter(|reason| !reason.is_empty())) {
        members.insert("breakGlass".to_owned(), reason.into());
    }
    who.to_string()
}

impl Stamp {
    /// The JSON Patch (RFC 6902) that makes it right; empty if it is.
    pub(crate) fn patch(&self) -> Vec<Json> {
        if self.is_right() {
            return Vec::new();
        }
        let path = format!("/metadata/annotations/{}", escape_segment(self.annotation));
        let Some(wanted) = &self.wanted else { return vec![json!({"op": "remove", "path": path})] };
        let mut patch = Vec::new();
        if self.bare {
            patch.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
        }
        patch.push(json!({"op": "add", "path": path, "value": wanted}));
        patch
    }

    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<String> {
        (!self.is_right()).then(|| {
            format!(
                "metadata.annotations[{}] is {}; must be {}: it is written by the suite itself (the mutation was skipped; try again)",
                self.annotation,
                self.found.as_ref().map_or_else(|| "missing".to_owned(), |found| format!("`{found}`")),
                self.wanted.as_ref().map_or_else(|| "left out".to_owned(), |wanted| format!("`{wanted}`")),
            )
        })
    }

    fn is_right(&self) -> bool {
        self.wanted == self.found
    }
}
