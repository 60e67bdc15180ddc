package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// The canonical form of a syntax tree: one line of nested parentheses in which
// the order of sets and of the keys of objects does not matter, and nothing is
// left of how it was written. Our parser's trees are written in the same form
// (engine/src/rego/syntax/canonical.rs).

func dumpModule(module *ast.Module) string {
	parts := []string{"package", dumpRefTail(module.Package.Path)}
	for _, imported := range module.Imports {
		path := imported.Path.Value.(ast.Ref)
		alias := ""
		if imported.Alias != "" {
			alias = " as " + string(imported.Alias)
		}
		parts = append(parts, "(import "+dumpRefWhole(path)+alias+")")
	}
	for _, rule := range module.Rules {
		parts = append(parts, dumpRule(rule))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

func dumpRefTail(path ast.Ref) string {
	words := make([]string, 0, len(path))
	for _, term := range path[1:] {
		words = append(words, dumpTerm(term))
	}
	return strings.Join(words, ".")
}

func dumpRefWhole(path ast.Ref) string {
	return string(path[0].Value.(ast.Var)) + "." + dumpRefTail(path)
}

func dumpRule(rule *ast.Rule) string {
	var out strings.Builder
	out.WriteString("(rule")
	if rule.Default {
		out.WriteString(" default")
	}
	out.WriteString(" (head")
	for _, term := range rule.Head.Ref() {
		out.WriteString(" " + dumpTerm(term))
	}
	out.WriteString(")")
	if len(rule.Head.Args) > 0 {
		out.WriteString(" (args" + dumpTerms(rule.Head.Args) + ")")
	}
	if rule.Head.Value != nil {
		out.WriteString(" (value " + dumpTerm(rule.Head.Value) + ")")
	} else {
		out.WriteString(" (element " + dumpTerm(rule.Head.Key) + ")")
	}
	out.WriteString(" " + dumpBody(rule.Body))
	for other := rule.Else; other != nil; other = other.Else {
		out.WriteString(" (else " + dumpTerm(other.Head.Value) + " " + dumpBody(other.Body) + ")")
	}
	return out.String() + ")"
}

func dumpBody(body ast.Body) string {
	parts := make([]string, 0, len(body))
	for _, expr := range body {
		parts = append(parts, dumpExpr(expr))
	}
	return "{" + strings.Join(parts, "; ") + "}"
}

func dumpExpr(expr *ast.Expr) string {
	out := dumpBareExpr(expr)
	if expr.Negated {
		out = "(negated " + out + ")"
	}
	for _, with := range expr.With {
		out += " (with " + dumpTerm(with.Target) + " " + dumpTerm(with.Value) + ")"
	}
	return out
}

func dumpBareExpr(expr *ast.Expr) string {
	switch terms := expr.Terms.(type) {
	case *ast.Term:
		return dumpTerm(terms)
	case []*ast.Term:
		return "(call" + dumpTerms(terms) + ")"
	case *ast.SomeDecl:
		return "(some" + dumpTerms(terms.Symbols) + ")"
	case *ast.Every:
		key := "-"
		if terms.Key != nil {
			key = dumpTerm(terms.Key)
		}
		return "(every " + key + " " + dumpTerm(terms.Value) + " " + dumpTerm(terms.Domain) + " " +
			dumpBody(terms.Body) + ")"
	case *ast.Not:
		return "(not " + dumpBody(terms.Body) + ")"
	case *ast.LogicalAnd:
		return "(and " + dumpBody(terms.Lhs) + " " + dumpBody(terms.Rhs) + ")"
	case *ast.LogicalOr:
		return "(or " + dumpBody(terms.Lhs) + " " + dumpBody(terms.Rhs) + ")"
	default:
		return fmt.Sprintf("(unknown %T)", terms)
	}
}

func dumpTerms(terms []*ast.Term) string {
	var out strings.Builder
	for _, term := range terms {
		out.WriteString(" " + dumpTerm(term))
	}
	return out.String()
}

func dumpTerm(term *ast.Term) string {
	switch value := term.Value.(type) {
	case ast.Null:
		return "null"
	case ast.Boolean:
		return fmt.Sprint(bool(value))
	case ast.Number:
		return "#" + string(value)
	case ast.String:
		return dumpString(string(value))
	case ast.Var:
		if value.IsWildcard() {
			return "_"
		}
		return "$" + string(value)
	case ast.Ref:
		return "(ref" + dumpTerms(value) + ")"
	case ast.Call:
		return "(call" + dumpTerms(value) + ")"
	case *ast.Array:
		var out strings.Builder
		value.Foreach(func(element *ast.Term) { out.WriteString(" " + dumpTerm(element)) })
		return "[" + out.String() + "]"
	case ast.Set:
		var elements []string
		value.Foreach(func(element *ast.Term) { elements = append(elements, dumpTerm(element)) })
		slices.Sort(elements)
		return "(set " + strings.Join(slices.Compact(elements), " ") + ")"
	case ast.Object:
		var pairs []string
		value.Foreach(func(key, value *ast.Term) {
			pairs = append(pairs, dumpTerm(key)+": "+dumpTerm(value))
		})
		slices.Sort(pairs)
		return "(object " + strings.Join(pairs, ", ") + ")"
	case *ast.ArrayComprehension:
		return "[" + dumpTerm(value.Term) + " | " + dumpBody(value.Body) + "]"
	case *ast.SetComprehension:
		return "(set " + dumpTerm(value.Term) + " | " + dumpBody(value.Body) + ")"
	case *ast.ObjectComprehension:
		return "(object " + dumpTerm(value.Key) + ": " + dumpTerm(value.Value) + " | " + dumpBody(value.Body) + ")"
	case *ast.TemplateString:
		var out strings.Builder
		for _, part := range value.Parts {
			switch part := part.(type) {
			case *ast.Term:
				out.WriteString(" " + dumpTerm(part))
			case *ast.Expr:
				// A comment beside a constant makes an expression of it.
				if term, ok := part.Terms.(*ast.Term); ok && len(part.With) == 0 && ast.IsScalar(term.Value) {
					out.WriteString(" " + dumpTerm(term))
					continue
				}
				out.WriteString(" {" + dumpExpr(part) + "}")
			}
		}
		return "(template" + out.String() + ")"
	default:
		return fmt.Sprintf("(unknown %T)", value)
	}
}

// dumpString quotes without escapes that two languages might write in two ways.
func dumpString(text string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(text, "\\", "\\\\"), "'", "\\'") + "'"
}
