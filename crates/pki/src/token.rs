//! Texts of bootstrap tokens.

use resource::Secret;

/// Random bytes that one token needs.
pub type TokenBytes = [u8; 4 * (ID + SECRET)];

const ID: usize = 6;
const SECRET: usize = 16;
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A bootstrap token `[a-z0-9]{6}.[a-z0-9]{16}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenText {
    /// The part that names it; safe to show.
    pub id: String,
    /// The part that proves possession.
    pub secret: Secret,
}

impl TokenText {
    /// The token that belongs to these bytes: four for each character, so that none is noticeably likelier.
    pub fn from_bytes(bytes: &TokenBytes) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let text: String = words.iter().map(|word| character(*word)).collect();
        let (id, secret) = text.split_at(ID);
        Self { id: id.to_owned(), secret: Secret::new(secret) }
    }

    /// `id.secret`, as kubelet uses it.
    pub fn token(&self) -> Secret {
        Secret::new(format!("{}.{}", self.id, self.secret.reveal()))
    }
}

fn character(word: [u8; 4]) -> char {
    let index = u32::from_le_bytes(word) % 36;
    char::from(ALPHABET[index as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_form_that_kubernetes_demands_whatever_the_bytes() {
        for seed in 0..=255u8 {
            let mut byte = seed;
            let bytes: TokenBytes = std::array::from_fn(|_| {
                byte = byte.wrapping_mul(31).wrapping_add(7);
                byte
            });
            let token = TokenText::from_bytes(&bytes).token();
            let (id, secret) = token.reveal().split_once('.').unwrap();
            assert_eq!((id.len(), secret.len()), (6, 16));
            let valid = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            assert!(valid(id) && valid(secret));
        }
    }

    #[test]
    fn only_the_id_is_shown() {
        let token = TokenText::from_bytes(&[9; 88]);
        assert!(!format!("{token:?}").contains(token.secret.reveal()));
    }
}
