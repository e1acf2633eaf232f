//! Lists the small faults (mutants) that can be put into Rust sources, as JSON.
//!
//! `pushcore-mutants SOURCE...` prints one object for each mutant: where it is, what it does, and the `pieces` of text that
//! put it in. A piece is inserted (or, for an operator, takes the place of the operator), so that all mutants of a file
//! stand in one build, each behind `MUTANT(number)`: `run.py` composes them.
//!
//! The faults are those of cargo-mutants (the body of a function gives a plain value, an operator is another, an arm of a
//! `match` or its guard is left out), and three more: a statement is left out, an assignment is left out, a condition is negated.

use std::ops::Range;

use proc_macro2::Span;
use serde_json::{Value, json};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprBinary, ExprUnary, GenericArgument, PathArguments, ReturnType, Stmt, Type, UnOp};

fn main() {
    let mut mutants = Vec::new();
    for file in std::env::args().skip(1) {
        let source = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let parsed = syn::parse_file(&source).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut finder = Finder {
            file,
            source: &source,
            names: Vec::new(),
            order: 0,
            mutants: Vec::new(),
        };
        finder.visit_file(&parsed);
        mutants.append(&mut finder.mutants);
    }
    println!("{}", Value::Array(mutants));
}

/// A walk over one file.
struct Finder<'a> {
    file: String,
    source: &'a str,
    /// The names of the items and functions around the place.
    names: Vec<String>,
    /// The number of places so far: a place stands outside of those with a higher number.
    order: usize,
    mutants: Vec<Value>,
}

/// Where a piece of text goes.
enum Place {
    /// Before the octet.
    Before(usize),
    /// After the octet, inside of what goes there for a place further out.
    After(usize),
    /// Instead of the octets.
    Instead(Range<usize>),
}

impl Finder<'_> {
    fn text(&self, span: Span) -> &str {
        &self.source[span.byte_range()]
    }

    /// Adds the alternatives of one place: the pieces that all of them share, with `{}` where the text of the
    /// alternatives goes, and for each alternative its description and its text.
    fn place(&mut self, span: Span, pieces: Vec<(Place, String)>, alternatives: Vec<(String, String)>) {
        self.order += 1;
        let pieces: Vec<Value> = pieces
            .into_iter()
            .map(|(place, text)| match place {
                Place::Before(at) => json!({"at": at, "to": at, "side": 1, "text": text}),
                Place::After(at) => json!({"at": at, "to": at, "side": 0, "text": text}),
                Place::Instead(range) => json!({"at": range.start, "to": range.end, "side": 2, "text": text}),
            })
            .collect();
        let alternatives: Vec<Value> = alternatives
            .into_iter()
            .map(|(what, text)| json!({"what": what, "text": text}))
            .collect();
        let start = span.start();
        self.mutants.push(json!({
            "file": self.file,
            "function": self.names.join("::"),
            "line": start.line,
            "order": self.order,
            "span": [span.byte_range().start, span.byte_range().end],
            "pieces": pieces,
            "alternatives": alternatives,
        }));
    }

    /// One alternative, whose text is nothing but its switch.
    fn switch(&mut self, span: Span, what: String, pieces: Vec<(Place, String)>) {
        self.place(span, pieces, vec![(what, "MUTANT".into())]);
    }

    fn short(&self, span: Span) -> String {
        let words: Vec<&str> = self.text(span).split_whitespace().collect();
        let line = words.join(" ");
        match line.char_indices().nth(60) {
            Some((at, _)) => format!("{}…", &line[..at]),
            None => line,
        }
    }

    /// The truth of an expression is the contrary: for comparisons, `matches!` and conditions.
    fn contrary(&mut self, span: Span, what: String) {
        let range = span.byte_range();
        self.switch(
            span,
            what,
            vec![
                (Place::Before(range.start), "({} ^ (".into()),
                (Place::After(range.end), "))".into()),
            ],
        );
    }

    /// An operator between two values, which are worked out once.
    fn between(&mut self, expression: &ExprBinary, others: &[&str], by_reference: bool) {
        let range = expression.span().byte_range();
        let operator = expression.op.span().byte_range();
        let own = self.text(expression.op.span()).to_owned();
        let (open, middle) = if by_reference {
            ("(match (&(", "), &(")
        } else {
            ("(match ((", "), (")
        };
        let alternatives = others
            .iter()
            .map(|other| {
                (
                    format!("`{other}` for `{own}` in `{}`", self.short(expression.span())),
                    format!("if MUTANT {{ a {other} b }} else "),
                )
            })
            .collect();
        self.place(
            expression.span(),
            vec![
                (Place::Before(range.start), open.into()),
                (Place::Instead(operator), middle.into()),
                (
                    Place::After(range.end),
                    format!(")) {{ (a, b) => {{}} {{ a {own} b }} }})"),
                ),
            ],
            alternatives,
        );
    }

    fn binary(&mut self, expression: &ExprBinary) {
        let range = expression.span().byte_range();
        let others: &[&str] = match expression.op {
            BinOp::Eq(_) | BinOp::Ne(_) => {
                return self.contrary(
                    expression.span(),
                    format!("not `{}`", self.short(expression.span())),
                );
            }
            BinOp::And(_) | BinOp::Or(_) => {
                // Both operands and the result negated turn one of the two into the other, and keep what is skipped.
                let (left, right) = (
                    expression.left.span().byte_range(),
                    expression.right.span().byte_range(),
                );
                let other = if matches!(expression.op, BinOp::And(_)) {
                    "||"
                } else {
                    "&&"
                };
                let what = format!("`{other}` in `{}`", self.short(expression.span()));
                return self.switch(
                    expression.span(),
                    what,
                    vec![
                        (Place::Before(range.start), "({} ^ (({} ^ (".into()),
                        (Place::After(left.end), "))".into()),
                        (Place::Before(right.start), "({} ^ (".into()),
                        (Place::After(range.end), "))))".into()),
                    ],
                );
            }
            BinOp::Lt(_) => &["<=", ">", "=="],
            BinOp::Gt(_) => &[">=", "<", "=="],
            BinOp::Le(_) => &["<", ">"],
            BinOp::Ge(_) => &[">", "<"],
            BinOp::Add(_) => &["-", "*"],
            BinOp::Sub(_) => &["+", "/"],
            BinOp::Mul(_) => &["+", "/"],
            BinOp::Div(_) => &["*", "%"],
            BinOp::Rem(_) => &["/", "+"],
            BinOp::BitAnd(_) => &["|", "^"],
            BinOp::BitOr(_) => &["&", "^"],
            BinOp::BitXor(_) => &["|", "&"],
            BinOp::Shl(_) => &[">>"],
            BinOp::Shr(_) => &["<<"],
            BinOp::AddAssign(_) => return self.assigned(expression, &["-=", "*="]),
            BinOp::SubAssign(_) => return self.assigned(expression, &["+=", "/="]),
            BinOp::MulAssign(_) => return self.assigned(expression, &["+="]),
            BinOp::BitAndAssign(_) => return self.assigned(expression, &["|="]),
            BinOp::BitOrAssign(_) => return self.assigned(expression, &["&="]),
            _ => return,
        };
        let compares = matches!(
            expression.op,
            BinOp::Lt(_) | BinOp::Gt(_) | BinOp::Le(_) | BinOp::Ge(_)
        );
        self.between(expression, others, compares);
    }

    fn assigned(&mut self, expression: &ExprBinary, others: &[&str]) {
        let range = expression.span().byte_range();
        let place = self.text(expression.left.span()).to_owned();
        let own = self.text(expression.op.span()).to_owned();
        let alternatives = others
            .iter()
            .map(|other| {
                (
                    format!("`{other}` in `{}`", self.short(expression.span())),
                    format!("if MUTANT {{ {place} {other} b }} else "),
                )
            })
            .collect();
        let head = range.start..expression.right.span().byte_range().start;
        self.place(
            expression.span(),
            vec![
                (Place::Instead(head), "match (".into()),
                (
                    Place::After(range.end),
                    format!(") {{ b => {{}} {{ {place} {own} b }} }}"),
                ),
            ],
            alternatives,
        );
    }

    /// The body of a function gives a plain value at once.
    fn body(&mut self, name: &str, output: &ReturnType, block: &syn::Block) {
        let values = match output {
            ReturnType::Default => vec![String::new()],
            ReturnType::Type(_, kind) => values_of(kind),
        };
        if block.stmts.is_empty() {
            return;
        }
        let open = block.brace_token.span.open().byte_range().end;
        let span = block.brace_token.span.join();
        let own = self.short(span);
        for value in values {
            if own == format!("{{ {value} }}") {
                continue;
            }
            self.switch(
                span,
                format!("{name} gives `{value}`"),
                vec![(Place::After(open), format!(" if {{}} {{ return {value}; }} "))],
            );
        }
    }

    fn within(&mut self, name: String, walk: impl FnOnce(&mut Self)) {
        self.names.push(name);
        walk(self);
        self.names.pop();
    }
}

/// Plain values of a type, as Rust's text.
fn values_of(kind: &Type) -> Vec<String> {
    match kind {
        Type::Tuple(tuple) if tuple.elems.is_empty() => vec![String::new()],
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => vec!["\"\"".into(), "\"xyzzy\"".into()],
            Type::Slice(_) if reference.mutability.is_none() => vec!["&[]".into()],
            _ => Vec::new(),
        },
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return Vec::new();
            };
            let of = match &last.arguments {
                PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|one| match one {
                    GenericArgument::Type(kind) => Some(kind),
                    _ => None,
                }),
                _ => None,
            };
            match last.ident.to_string().as_str() {
                "bool" => vec!["true".into(), "false".into()],
                "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i32" | "i64" => {
                    vec!["0".into(), "1".into()]
                }
                "f32" | "f64" => vec!["0.0".into(), "1.0".into()],
                "String" => vec!["String::new()".into(), "String::from(\"xyzzy\")".into()],
                "Vec" => vec!["Vec::new()".into()],
                "Duration" => vec![
                    "std::time::Duration::ZERO".into(),
                    "std::time::Duration::from_secs(1)".into(),
                ],
                "Option" => {
                    let mut values = vec!["None".to_owned()];
                    values.extend(
                        of.map(values_of)
                            .unwrap_or_default()
                            .into_iter()
                            .map(|one| some("Some", &one)),
                    );
                    values
                }
                "Result" => of
                    .map(values_of)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|one| some("Ok", &one))
                    .collect(),
                "Self" => vec!["Default::default()".into()],
                "Box" | "Cow" | "Arc" | "Ordering" => Vec::new(),
                _ => vec!["Default::default()".into()],
            }
        }
        _ => Vec::new(),
    }
}

fn some(name: &str, value: &str) -> String {
    if value.is_empty() {
        format!("{name}(())")
    } else {
        format!("{name}({value})")
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|one| {
        one.path().is_ident("test")
            || one.path().is_ident("cfg")
                && matches!(&one.meta, syn::Meta::List(list) if list.tokens.to_string().contains("test"))
    })
}

/// Whether leaving out the statement may make a difference: a call or an assignment.
fn is_a_duty(expression: &Expr) -> bool {
    match expression {
        // What is dropped early is dropped for the borrow checker's sake.
        Expr::Call(call) => !matches!(&*call.func, Expr::Path(path) if path.path.is_ident("drop")),
        Expr::MethodCall(_) | Expr::Assign(_) => true,
        Expr::Try(inner) => is_a_duty(&inner.expr),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            self.within(item.ident.to_string(), |this| visit::visit_item_mod(this, item));
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let is_debug = item
            .trait_
            .as_ref()
            .is_some_and(|(_, path, _)| path.segments.last().is_some_and(|last| last.ident == "Debug"));
        if is_debug || is_for_tests(&item.attrs) {
            return;
        }
        let name = self.text(item.self_ty.span()).to_owned();
        self.within(name, |this| visit::visit_item_impl(this, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(item.ident.to_string(), |this| visit::visit_item_trait(this, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if is_for_tests(&item.attrs) || item.sig.constness.is_some() {
            return;
        }
        let name = item.sig.ident.to_string();
        self.within(name.clone(), |this| {
            this.body(&name, &item.sig.output, &item.block);
            visit::visit_block(this, &item.block);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if is_for_tests(&item.attrs) || item.sig.constness.is_some() {
            return;
        }
        let name = item.sig.ident.to_string();
        self.within(name.clone(), |this| {
            this.body(&name, &item.sig.output, &item.block);
            visit::visit_block(this, &item.block);
        });
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Binary(binary) => {
                self.binary(binary);
                // The place that is assigned to stands twice in the text, so that nothing may be put into it.
                if self.text(binary.op.span()).ends_with('=')
                    && !matches!(
                        binary.op,
                        BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Le(_) | BinOp::Ge(_)
                    )
                {
                    return self.visit_expr(&binary.right);
                }
            }
            Expr::Unary(ExprUnary {
                op: UnOp::Not(_),
                expr,
                ..
            }) => {
                if !matches!(&**expr, Expr::Paren(_) | Expr::Macro(_)) {
                    self.contrary(
                        expression.span(),
                        format!("not `{}`", self.short(expression.span())),
                    );
                }
            }
            Expr::Macro(call) if call.mac.path.is_ident("matches") => {
                self.contrary(
                    expression.span(),
                    format!("not `{}`", self.short(expression.span())),
                );
            }
            Expr::If(branch) => {
                if matches!(
                    &*branch.cond,
                    Expr::MethodCall(_) | Expr::Call(_) | Expr::Path(_) | Expr::Field(_)
                ) {
                    let what = format!("not `{}`", self.short(branch.cond.span()));
                    self.contrary(branch.cond.span(), what);
                }
            }
            // Blocks in constants cannot ask for a switch.
            Expr::Const(_) => return,
            _ => {}
        }
        visit::visit_expr(self, expression);
    }

    fn visit_expr_match(&mut self, item: &'ast syn::ExprMatch) {
        let catches = |arm: &syn::Arm| {
            arm.guard.is_none()
                && (matches!(&arm.pat, syn::Pat::Wild(_))
                    || matches!(&arm.pat, syn::Pat::Ident(one) if one.subpat.is_none() && one.ident.to_string().starts_with(|c: char| c.is_lowercase())))
        };
        let has_rest = item.arms.iter().any(catches);
        for arm in &item.arms {
            let pattern = self.short(arm.pat.span());
            if let Some((_, guard)) = &arm.guard {
                let range = guard.span().byte_range();
                let what = self.short(guard.span());
                self.switch(
                    guard.span(),
                    format!("the guard `{what}` is always true"),
                    vec![
                        (Place::Before(range.start), "({} || (".into()),
                        (Place::After(range.end), "))".into()),
                    ],
                );
                self.switch(
                    guard.span(),
                    format!("the guard `{what}` is never true"),
                    vec![
                        (Place::Before(range.start), "(!{} && (".into()),
                        (Place::After(range.end), "))".into()),
                    ],
                );
            } else if has_rest && !catches(arm) {
                let end = arm.pat.span().byte_range().end;
                self.switch(
                    arm.pat.span(),
                    format!("the arm `{pattern}` is left out"),
                    vec![(Place::After(end), " if !{} ".into())],
                );
            }
        }
        visit::visit_expr_match(self, item);
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if let Stmt::Expr(expression, Some(_)) = statement {
            if is_a_duty(expression) {
                let range = statement.span().byte_range();
                self.switch(
                    statement.span(),
                    format!("`{}` is left out", self.short(statement.span())),
                    vec![
                        (Place::Before(range.start), "if !{} { ".into()),
                        (Place::After(range.end), " }".into()),
                    ],
                );
            }
        }
        visit::visit_stmt(self, statement);
    }

    // Types, patterns and constants are worked out by the compiler.
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_item_enum(&mut self, _: &'ast syn::ItemEnum) {}
    fn visit_item_macro(&mut self, _: &'ast syn::ItemMacro) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}
