//! An age plugin for a KMS of one directory: keys lie in files, every call is written down, and access can be denied.
//!
//! `age-plugin-kwkms --new KEY` makes a key and prints an identity. The directory is `KWKMS_DIRECTORY`.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::PathBuf;

use age_core::format::{FileKey, Stanza};
use age_core::primitives::{aead_decrypt, aead_encrypt};
use age_core::secrecy::ExposeSecret as _;
use age_plugin::identity::{self, IdentityPluginV1};
use age_plugin::recipient::{self, RecipientPluginV1};
use age_plugin::{Callbacks, PluginHandler, print_new_identity, run_state_machine};

const NAME: &str = "kwkms";
const FILE_KEY_BYTES: usize = 16;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--new", key] => {
            std::fs::write(Kms::open().path(key), rand_bytes()?)?;
            print_new_identity(NAME, key.as_bytes(), key.as_bytes());
            Ok(())
        }
        [machine] if machine.starts_with("--age-plugin=") => {
            run_state_machine(&machine["--age-plugin=".len()..], Plugin)
        }
        _ => Err(io::Error::other("usage: --new KEY | --age-plugin=STATE_MACHINE")),
    }
}

fn rand_bytes() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes)
}

/// The service: keys never leave it.
struct Kms {
    directory: PathBuf,
}

impl Kms {
    fn open() -> Self {
        Self { directory: std::env::var_os("KWKMS_DIRECTORY").expect("KWKMS_DIRECTORY is set").into() }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(key)
    }

    fn call(&self, operation: &str, key: &str) -> Result<[u8; 32], String> {
        let mut log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.directory.join("calls"))
            .map_err(|error| error.to_string())?;
        writeln!(log, "{operation} {key}").map_err(|error| error.to_string())?;
        if self.directory.join("denied").exists() {
            return Err(format!("AccessDeniedException: {operation} with {key}"));
        }
        let bytes = std::fs::read(self.path(key)).map_err(|_| format!("NotFoundException: {key}"))?;
        bytes.try_into().map_err(|_| format!("KMSInvalidStateException: {key}"))
    }
}

struct Plugin;

impl PluginHandler for Plugin {
    type RecipientV1 = Keys;
    type IdentityV1 = Keys;

    fn recipient_v1(self) -> io::Result<Keys> {
        Ok(Keys::default())
    }

    fn identity_v1(self) -> io::Result<Keys> {
        Ok(Keys::default())
    }
}

/// Names of the keys that somebody has.
#[derive(Default)]
struct Keys(Vec<String>);

impl Keys {
    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let key = String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())?;
        if name != NAME {
            return Err(format!("`{name}` is another plugin"));
        }
        self.0.push(key);
        Ok(())
    }
}

impl RecipientPluginV1 for Keys {
    fn add_recipient(&mut self, index: usize, name: &str, bytes: &[u8]) -> Result<(), recipient::Error> {
        self.add(name, bytes).map_err(|message| recipient::Error::Recipient { index, message })
    }

    fn add_identity(&mut self, index: usize, name: &str, bytes: &[u8]) -> Result<(), recipient::Error> {
        self.add(name, bytes).map_err(|message| recipient::Error::Identity { index, message })
    }

    fn labels(&mut self) -> std::collections::HashSet<String> {
        std::collections::HashSet::new()
    }

    fn wrap_file_keys(
        &mut self,
        file_keys: Vec<FileKey>,
        _callbacks: impl Callbacks<recipient::Error>,
    ) -> io::Result<Result<Vec<Vec<Stanza>>, Vec<recipient::Error>>> {
        let wrap = |file_key: &FileKey| {
            let stanza = |(index, key): (usize, &String)| match Kms::open().call("Encrypt", key) {
                Ok(bytes) => Ok(Stanza {
                    tag: NAME.to_owned(),
                    args: vec![key.clone()],
                    body: aead_encrypt(&bytes, file_key.expose_secret()),
                }),
                Err(message) => Err(recipient::Error::Recipient { index, message }),
            };
            self.0.iter().enumerate().map(stanza).collect::<Result<Vec<_>, _>>()
        };
        let wrapped: Result<Vec<_>, _> = file_keys.iter().map(wrap).collect();
        Ok(wrapped.map_err(|error| vec![error]))
    }
}

impl IdentityPluginV1 for Keys {
    fn add_identity(&mut self, index: usize, name: &str, bytes: &[u8]) -> Result<(), identity::Error> {
        self.add(name, bytes).map_err(|message| identity::Error::Identity { index, message })
    }

    fn unwrap_file_keys(
        &mut self,
        files: Vec<Vec<Stanza>>,
        _callbacks: impl Callbacks<identity::Error>,
    ) -> io::Result<HashMap<usize, Result<FileKey, Vec<identity::Error>>>> {
        let mut found = HashMap::new();
        for (file, stanzas) in files.iter().enumerate() {
            let ours = stanzas
                .iter()
                .filter(|stanza| stanza.tag == NAME && stanza.args.iter().all(|key| self.0.contains(key)));
            for stanza in ours {
                found.insert(file, unwrapped(stanza).map_err(|message| vec![identity::Error::Internal { message }]));
            }
        }
        Ok(found)
    }
}

fn unwrapped(stanza: &Stanza) -> Result<FileKey, String> {
    let bytes = Kms::open().call("Decrypt", &stanza.args[0])?;
    let plain = aead_decrypt(&bytes, FILE_KEY_BYTES, &stanza.body).map_err(|error| error.to_string())?;
    Ok(FileKey::init_with_mut(|file_key| file_key.copy_from_slice(&plain)))
}
