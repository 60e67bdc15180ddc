//! How deep a query may ask a schema about itself.

use super::{Checked, Walk};
use crate::limits::MAX_WALK;
use crate::problem::Failure;
use crate::tree::{Field, Selection};
use std::collections::HashSet;

/// Lists within lists of types.
const MAX_LISTS: usize = 3;

impl<'d> Walk<'d, '_> {
    pub(super) fn max_introspection_depth(&mut self, field: &'d Field) -> Checked {
        if matches!(field.name.as_str(), "__schema" | "__type")
            && self.is_too_deep(field, 0, &mut HashSet::new(), 0)?
        {
            self.problem(field.position, "Maximum introspection depth exceeded".to_owned())?;
        }
        Ok(())
    }

    fn is_too_deep(
        &mut self,
        field: &'d Field,
        lists: usize,
        within: &mut HashSet<&'d str>,
        depth: usize,
    ) -> Result<bool, Failure> {
        let is_list =
            matches!(field.name.as_str(), "fields" | "interfaces" | "possibleTypes" | "inputFields");
        let lists = lists + usize::from(is_list);
        if lists >= MAX_LISTS {
            return Ok(true);
        }
        self.are_too_deep(&field.selection_set, lists, within, depth)
    }

    fn are_too_deep(
        &mut self,
        selections: &'d [Selection],
        lists: usize,
        within: &mut HashSet<&'d str>,
        depth: usize,
    ) -> Result<bool, Failure> {
        if depth >= MAX_WALK {
            return Err(Failure::TooLarge(
                "GraphQL fragments within fragments, more than 400 deep, are not read here",
            ));
        }
        for selection in selections {
            self.host.spend(2)?;
            let found = match selection {
                Selection::Field(field) => self.is_too_deep(field, lists, within, depth + 1)?,
                Selection::Inline(inline) => {
                    self.are_too_deep(&inline.selection_set, lists, within, depth + 1)?
                }
                Selection::Spread(spread) => match self.spread_note(spread) {
                    Some(fragment) if within.insert(&spread.name) => {
                        let found = self.are_too_deep(&fragment.selection_set, lists, within, depth + 1)?;
                        within.remove(spread.name.as_str());
                        found
                    }
                    _ => false,
                },
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
