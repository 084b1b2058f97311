//! A rule's condition: compiled, its questions found, its names checked, its cost bounded.
//!
//! CEL always ends; what is bounded here is how long that takes. The text is short, macros are nested three deep at most, and a question
//! stands at most one macro deep, so the longest lists (a thousand events, the rules of a firewall) are combined in pairs and no more.

use std::thread;

use cel::Program;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr};

use super::question::{FORMS, Question};

/// Longest expression in bytes.
const LONGEST: usize = 2_000;
/// Deepest nesting of the expression's tree.
const DEEPEST: usize = 100;
/// Macros (`exists`, `all`, `map` …) inside macros.
const MACROS: usize = 3;
/// Macros around a question.
const MACROS_AROUND: usize = 1;
/// Stack of the thread that parses: the parser descends some frames for every bracket.
const STACK: usize = 32 << 20;

/// Functions that CEL brings along, and our `field` and `text`.
const KNOWN: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "field",
    "text",
];

/// A compiled condition.
#[derive(Debug)]
pub struct Expression {
    pub(super) program: Program,
    questions: Vec<Question>,
}

/// What is wrong with an expression, and in which of its lines (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub line: u64,
    pub expected: String,
    pub found: String,
}

impl Flaw {
    fn new(line: u64, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { line, expected: expected.into(), found: found.into() }
    }
}

impl Expression {
    /// Compiles an expression.
    pub fn compile(source: &str) -> Result<Self, Vec<Flaw>> {
        if source.len() > LONGEST {
            let found = format!("{} bytes", source.len());
            return Err(vec![Flaw::new(1, format!("an expression of at most {LONGEST} bytes"), found)]);
        }
        let source = source.to_owned();
        let parser = thread::Builder::new().stack_size(STACK).spawn(move || Self::parse(&source));
        let parsed = parser.ok().and_then(|thread| thread.join().ok());
        parsed.unwrap_or_else(|| Err(vec![Flaw::new(1, "an expression", "one that cannot be parsed")]))
    }

    fn parse(source: &str) -> Result<Self, Vec<Flaw>> {
        let program = Program::compile(source).map_err(|errors| {
            let flaw = |error: &cel::ParseError| {
                let line = u64::try_from(error.pos.0).unwrap_or(1).max(1);
                Flaw::new(line, "a CEL expression", shortened(&error.msg))
            };
            // What follows the first error of a parser is mostly its consequence.
            errors.errors.iter().take(1).map(flaw).collect::<Vec<_>>()
        })?;
        let mut walk =
            Walk { program: &program, bound: Vec::new(), questions: Vec::new(), flaws: Vec::new() };
        walk.visit(program.expression(), 0, 0);
        let Walk { mut questions, mut flaws, .. } = walk;
        questions.sort();
        questions.dedup();
        if questions.is_empty() && flaws.is_empty() {
            let forms: Vec<&str> = FORMS.iter().map(|(_, form)| *form).collect();
            let expected = format!("a question to the machine ({})", forms.join(", "));
            flaws.push(Flaw::new(1, expected, "an expression that asks nothing"));
        }
        if flaws.is_empty() { Ok(Self { program, questions }) } else { Err(flaws) }
    }

    /// What the expression asks.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }
}

/// The first line of a parser's message, without its list of tokens.
fn shortened(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.split_once(" expecting ").map_or(line, |(head, _)| head);
    line.trim_start_matches("Syntax error: ").to_owned()
}

struct Walk<'p> {
    program: &'p Program,
    /// Variables of the macros around.
    bound: Vec<&'p str>,
    questions: Vec<Question>,
    flaws: Vec<Flaw>,
}

impl<'p> Walk<'p> {
    fn flaw(&mut self, node: &IdedExpr, expected: impl Into<String>, found: impl Into<String>) {
        let info = self.program.source_info();
        let offset = info.offset_for(node.id).map_or(0, |(start, _)| start as usize);
        let before = info.source.bytes().take(offset);
        let line = 1 + before.filter(|byte| *byte == b'\n').count() as u64;
        self.flaws.push(Flaw::new(line, expected, found));
    }

    /// `depth` counts nodes, `macros` the macros whose body this is.
    fn visit(&mut self, node: &'p IdedExpr, depth: usize, macros: usize) {
        if depth > DEEPEST {
            if self.flaws.is_empty() {
                self.flaw(node, format!("an expression nested at most {DEEPEST} deep"), "a deeper one");
            }
            return;
        }
        let next = depth + 1;
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => self.name(node, name),
            Expr::Call(call) => self.call(node, call, next, macros),
            Expr::Comprehension(body) => self.comprehension(node, body, next, macros),
            Expr::List(list) => list.elements.iter().for_each(|item| self.visit(item, next, macros)),
            Expr::Select(select) => self.visit(&select.operand, next, macros),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.visit(&entry.key, next, macros);
                        self.visit(&entry.value, next, macros);
                    }
                }
            }
            Expr::Struct(record) => {
                self.flaw(node, "numbers, texts, lists and maps", format!("a struct {}", record.type_name));
            }
        }
    }

    fn name(&mut self, node: &IdedExpr, name: &str) {
        if !name.starts_with('@') && !self.bound.contains(&name) {
            self.flaw(
                node,
                "a name that a macro around it binds, as `e` in `.exists(e, …)`",
                format!("`{name}`"),
            );
        }
    }

    fn call(&mut self, node: &IdedExpr, call: &'p CallExpr, depth: usize, macros: usize) {
        let name = call.func_name.as_str();
        match Question::of(call) {
            Some(Ok(_)) if macros > MACROS_AROUND => {
                let expected = format!("a question at most {MACROS_AROUND} macro deep");
                self.flaw(node, expected, format!("{name} inside {macros}"));
            }
            Some(Ok(question)) => self.questions.push(question),
            Some(Err(bad)) => self.flaw(node, bad.expected, bad.found),
            // Operators have names that no one can write.
            None if KNOWN.contains(&name) || !name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                call.target.iter().for_each(|target| self.visit(target, depth, macros));
                call.args.iter().for_each(|item| self.visit(item, depth, macros));
            }
            None => {
                let questions = FORMS.iter().map(|(name, _)| *name);
                let known: Vec<&str> = questions.chain(KNOWN.iter().copied()).collect();
                self.flaw(node, format!("one of the functions {}", known.join(", ")), format!("`{name}`"));
            }
        }
    }

    fn comprehension(&mut self, node: &IdedExpr, body: &'p ComprehensionExpr, depth: usize, macros: usize) {
        if macros >= MACROS {
            self.flaw(node, format!("macros nested at most {MACROS} deep"), "deeper ones");
            return;
        }
        self.visit(&body.iter_range, depth, macros);
        let outside = self.bound.len();
        self.bound.push(&body.iter_var);
        self.bound.extend(body.iter_var2.as_deref());
        for part in [&body.accu_init, &body.loop_cond, &body.loop_step, &body.result] {
            self.visit(part, depth, macros + 1);
        }
        self.bound.truncate(outside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws(source: &str) -> Vec<(u64, String, String)> {
        let flaws = Expression::compile(source).unwrap_err();
        flaws.into_iter().map(|flaw| (flaw.line, flaw.expected, flaw.found)).collect()
    }

    #[test]
    fn questions_are_found_wherever_they_stand() {
        let source = r"registry(r'HKEY_LOCAL_MACHINE\SYSTEM\Select', 'Current') == 1 || events('Schannel', [36887], 'System')
            .exists(e, e.field('AlertDesc') == '70' && check('svc-nlasvc') == 'healthy') ? true : fact('os.build') > 1";
        let expression = Expression::compile(source).unwrap();
        assert_eq!(
            expression.questions(),
            [
                Question::Registry { key: r"HKLM\SYSTEM\Select".into(), value: "Current".into() },
                Question::Events { provider: "Schannel".into(), ids: vec![36887], channel: "System".into() },
                Question::Check("svc-nlasvc".into()),
                Question::Fact("os.build".into()),
            ]
        );
    }

    #[test]
    fn flaws_name_line_expectation_and_finding() {
        for (source, line, expected, found) in [
            ("fact('os.build') >", 1, "a CEL expression", "mismatched input '<EOF>'"),
            ("true &&\n regsitry(r'HKLM\\A', 'b') == 1", 2, "one of the functions", "`regsitry`"),
            ("registry('Software', 'b') == 1", 1, "a key that begins with HKLM", "`Software`"),
            ("fact('os.bulid') == 1", 1, "the name of a fact", "`os.bulid`"),
            ("check('svc-nla') == 'x'", 1, "the id of a built-in check", "`svc-nla`"),
            ("captures('ipconf').size() > 0", 1, "a kind of capture", "`ipconf`"),
            (
                "events('a', 3, 'b').size() > 0",
                1,
                "events('provider', [1, 2], 'channel')",
                "ids that are no list",
            ),
            ("fact('os.' + 'build') == 1", 1, "literal arguments", "a call of fact"),
            ("1 == 1", 1, "a question to the machine", "asks nothing"),
            ("fact('os.build') == build", 1, "a name that a macro around it binds", "`build`"),
        ] {
            let flaws = flaws(source);
            let [(at, wanted, seen)] = flaws.as_slice() else { panic!("{source}: {flaws:?}") };
            assert_eq!(*at, line, "{source}");
            assert!(wanted.contains(expected) && seen.contains(found), "{source}: {wanted} / {seen}");
        }
    }

    #[test]
    fn cost_is_bounded() {
        let events = "events('a', [1], 'b')";
        let three = format!("{events}.exists(a, {events}.exists(b, {events}.exists(c, true)))");
        assert!(flaws(&three)[0].1.contains("at most 1 macro deep"));
        assert!(
            Expression::compile(&format!("{events}.exists(a, {events}.exists(b, a.time < b.time))")).is_ok()
        );
        let four = format!("{events}.exists(a, a.x.exists(b, b.x.exists(c, c.x.exists(d, true))))");
        assert!(flaws(&four)[0].1.contains("nested at most 3 deep"));
        assert!(
            flaws(&format!("fact('os.build') == {}1", "1 + ".repeat(400)))[0]
                .1
                .contains("nested at most 100")
        );
        assert!(flaws(&"(".repeat(1_500))[0].1.contains("a CEL expression"));
        assert!(flaws(&" ".repeat(3_000))[0].2.contains("3000 bytes"));
    }
}
