//! Kinds of things in the fake world: their schema, and what each gives.

use resource::KindSchema;

/// Where the value of an output comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The thing itself: made anew with it, kept by updates (an identity that the other side chooses).
    Identity,
    /// Made anew with every change (a certificate that is issued again).
    Generation,
    /// Follows from everything it was made with, references included (a kubeconfig).
    Content,
    /// An address of IPv4 that the other side chooses: kept by updates.
    Address,
    /// One of its inputs.
    Input(&'static str),
}

/// One output of a kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FakeOutput {
    pub(crate) name: &'static str,
    pub(crate) source: Source,
    pub(crate) secret: bool,
}

/// One kind of things.
#[derive(Clone)]
pub struct FakeKind {
    pub(crate) schema: KindSchema,
    pub(crate) outputs: Vec<FakeOutput>,
    pub(crate) shows_outputs: bool,
    pub(crate) made_by_token: bool,
}

impl FakeKind {
    /// A kind that gives nothing.
    pub fn new(schema: KindSchema) -> Self {
        Self { schema, outputs: Vec::new(), shows_outputs: false, made_by_token: false }
    }

    /// The same with one more output.
    #[must_use]
    pub fn output(mut self, name: &'static str, source: Source) -> Self {
        self.outputs.push(FakeOutput { name, source, secret: false });
        self
    }

    /// The same whose public outputs can be seen, too.
    #[must_use]
    pub fn showing_outputs(self) -> Self {
        Self { shows_outputs: true, ..self }
    }

    /// The same of which every creation under another token makes another one, as clouds do: the one before is left over.
    #[must_use]
    pub fn made_by_token(self) -> Self {
        Self { made_by_token: true, ..self }
    }

    /// The same with one more secret output.
    #[must_use]
    pub fn secret(mut self, name: &'static str, source: Source) -> Self {
        self.outputs.push(FakeOutput { name, source, secret: true });
        self
    }
}
