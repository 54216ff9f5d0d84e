//! The canonical binary form: numbers in big-endian order, variable fields behind their length.

use super::OpenError;

/// Appends fields.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn fixed(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.fixed(&number.to_be_bytes())
    }

    /// Appends a length of four bytes and the field; fields are far shorter than 4 GiB.
    pub(super) fn field(self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.fixed(&length.to_be_bytes()).fixed(bytes)
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Takes fields off the front of `rest`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], OpenError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(OpenError::Malformed("it is cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], OpenError> {
        self.take(N)?.try_into().map_err(|_| OpenError::Malformed("it is cut off"))
    }

    pub(super) fn number(&mut self) -> Result<u64, OpenError> {
        self.fixed().map(u64::from_be_bytes)
    }

    pub(super) fn field(&mut self, longest: usize) -> Result<&'a [u8], OpenError> {
        let length = u32::from_be_bytes(self.fixed()?) as usize;
        if length > longest {
            return Err(OpenError::Malformed("a field is longer than it may be"));
        }
        self.take(length)
    }

    pub(super) fn text(&mut self, longest: usize) -> Result<&'a str, OpenError> {
        std::str::from_utf8(self.field(longest)?).map_err(|_| OpenError::Malformed("a text is not UTF-8"))
    }

    /// Reads the version, which comes first.
    pub(super) fn version(&mut self) -> Result<(), OpenError> {
        match self.fixed()? {
            [super::SEAL_VERSION] => Ok(()),
            [other] => Err(OpenError::Version(other)),
        }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Succeeds when everything was read: a canonical form has nothing behind it.
    pub(super) fn end(&self) -> Result<(), OpenError> {
        if self.rest.is_empty() { Ok(()) } else { Err(OpenError::Malformed("bytes follow its end")) }
    }
}
