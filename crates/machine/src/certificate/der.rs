//! As much of DER and X.509 as it takes to compare two certificates.

use std::collections::BTreeSet;

pub(super) const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const OCTET_STRING: u8 = 0x04;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];

/// One element: its tag, its content, and all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The element that bytes begin with.
    pub(super) fn first(bytes: &'a [u8]) -> Option<Self> {
        let (tag, length) = (*bytes.first()?, *bytes.get(1)?);
        let (length, head) = if length < 0x80 {
            (usize::from(length), 2)
        } else {
            let count = usize::from(length & 0x7f);
            let digits = bytes.get(2..2 + count).filter(|digits| (1..=4).contains(&digits.len()))?;
            (digits.iter().fold(0, |all, digit| (all << 8) | usize::from(*digit)), 2 + count)
        };
        let end = head.checked_add(length)?;
        Some(Self { tag, content: bytes.get(head..end)?, whole: bytes.get(..end)? })
    }

    /// The elements in its content, as far as they can be read.
    pub(super) fn children(self) -> impl Iterator<Item = Element<'a>> {
        let mut rest = self.content;
        std::iter::from_fn(move || {
            let element = Element::first(rest)?;
            rest = rest.get(element.whole.len()..)?;
            Some(element)
        })
    }
}

/// What counts of a certificate.
#[derive(Debug)]
pub(super) struct Certificate<'a> {
    pub(super) issuer: BTreeSet<(Vec<u8>, Vec<u8>)>,
    pub(super) subject: BTreeSet<(Vec<u8>, Vec<u8>)>,
    /// Seconds since 1970.
    pub(super) begins: i64,
    pub(super) ends: i64,
    pub(super) public_key: Element<'a>,
    pub(super) names: BTreeSet<&'a [u8]>,
    pub(super) uses: BTreeSet<&'a [u8]>,
    pub(super) authority_key: Option<&'a [u8]>,
    pub(super) is_authority: bool,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate; nothing where it is none of version 3.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let signed = Element::first(bytes)?.children().next()?;
        let mut fields = signed.children();
        fields.next().filter(|version| version.tag == VERSION)?;
        let (_serial, _algorithm) = (fields.next()?, fields.next()?);
        let issuer = fields.next()?;
        let mut validity = fields.next()?.children();
        let (begins, ends) = (seconds(validity.next()?)?, seconds(validity.next()?)?);
        let (subject, public_key) = (fields.next()?, fields.next()?);
        let extensions = fields.find(|field| field.tag == EXTENSIONS)?.children().next()?;
        let extension = |id| extensions.children().find_map(|extension| value(extension, id));
        let parts = |id| extension(id).into_iter().flat_map(Element::children);
        Some(Self {
            issuer: name(issuer),
            subject: name(subject),
            begins,
            ends,
            public_key,
            names: parts(ALTERNATIVE_NAMES).map(|name| name.whole).collect(),
            uses: parts(EXTENDED_USAGE).map(|usage| usage.whole).collect(),
            authority_key: extension(AUTHORITY_KEY).map(|value| value.whole),
            // The first field, where there is one, says that it is.
            is_authority: parts(BASIC_CONSTRAINTS).next().is_some(),
        })
    }
}

/// The value of an extension, if it is the one of `id`.
fn value<'a>(extension: Element<'a>, id: &[u8]) -> Option<Element<'a>> {
    let mut fields = extension.children();
    fields.next().filter(|found| found.content == id)?;
    fields.find(|field| field.tag == OCTET_STRING).and_then(|value| Element::first(value.content))
}

/// The parts of a name, kind and text. Their order and how texts are encoded differ between programs.
fn name(name: Element<'_>) -> BTreeSet<(Vec<u8>, Vec<u8>)> {
    let attributes = name.children().flat_map(Element::children);
    attributes
        .filter_map(|attribute| {
            let mut fields = attribute.children();
            Some((fields.next()?.content.to_vec(), fields.next()?.content.to_vec()))
        })
        .collect()
}

/// Seconds since 1970 of a time in UTC.
fn seconds(time: Element<'_>) -> Option<i64> {
    let text = std::str::from_utf8(time.content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match time.tag {
        UTC_TIME => {
            let short: i64 = text.get(..2)?.parse().ok()?;
            (if short < 50 { 2000 + short } else { 1900 + short }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |index: usize| rest.get(2 * index..2 * index + 2).and_then(|digits| digits.parse::<i64>().ok());
    let [month, day, hour, minute, second] = [part(0)?, part(1)?, part(2)?, part(3)?, part(4)?];
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (Hinnant's `days_from_civil`, for years from 0 on).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_since_1970_in_both_notations() {
        let time = |tag: u8, text: &str| {
            let bytes: Vec<u8> = [tag, u8::try_from(text.len()).unwrap()].into_iter().chain(text.bytes()).collect();
            seconds(Element::first(&bytes).unwrap())
        };
        assert_eq!(time(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(time(UTC_TIME, "261127201500Z"), Some(1_795_810_500));
        assert_eq!(time(GENERALIZED_TIME, "20261127201500Z"), Some(1_795_810_500));
        assert_eq!(time(GENERALIZED_TIME, "20000229000000Z"), Some(951_782_400));
        assert_eq!(time(UTC_TIME, "261127201500"), None);
    }

    #[test]
    fn torn_elements_are_none() {
        for bytes in [&[][..], &[0x30], &[0x30, 5, 1], &[0x30, 0x80], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 0x82, 1]] {
            assert_eq!(Element::first(bytes), None, "{bytes:?}");
        }
        assert!(Certificate::parse(&[0x30, 0]).is_none());
    }
}
