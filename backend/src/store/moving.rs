//! Moves a whole store into a file and back, between any two databases: one line of JSON a row, whatever its columns are, so
//! that a column that comes later moves by itself.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{StoreError, opening, postgres, sqlite};
use crate::config;

/// The tables that are moved, in an order that suits their references, each with what its rows are read in the order of.
/// Rows without an order of their own are read as they were written.
pub(super) const TABLES: [(&str, Order); 15] = [
    ("callback", Order::By("id")),
    ("idempotency", Order::By("scope, key")),
    ("attempt", Order::Written),
    ("task_event", Order::Written),
    ("signing_key", Order::By("id")),
    ("revoked_link", Order::By("subject")),
    ("credential", Order::By("id")),
    ("spent_challenge", Order::By("id")),
    ("sealing", Order::By("id")),
    ("consent_text", Order::By("hash")),
    ("consent", Order::Written),
    ("audit", Order::Written),
    ("api_key", Order::By("id")),
    ("outgoing_message", Order::By("webhook, id")),
    ("outgoing_attempt", Order::Written),
];

/// In which order the rows of a table are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    By(&'static str),
    Written,
}

/// The column in which PostgreSQL keeps the order in which rows were written; SQLite has it in each table.
pub(super) const NUMBER: &str = "number";

/// The version of the form of the file.
const FORM: u32 = 1;

/// A row, by its columns. Bytes are `\x` and hexadecimal digits, as PostgreSQL writes them.
pub(super) type Fields = Map<String, Value>;

/// How many rows of each table were moved.
pub type Counts = BTreeMap<String, u64>;

/// Why a store was not moved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MovingError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file does not hold a whole store.
    #[error("{path}, line {line}: {what}")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The store's schema is another one.
    #[error(
        "the file was written from schema {file}, and this store has schema {store}; hint: use the same version of ringback for \
         export and import"
    )]
    Schema {
        /// Of the file.
        file: i64,
        /// Of the store.
        store: i64,
    },
    /// There is something in the store.
    #[error("the store holds rows in {0}; hint: import into a database that is new")]
    NotEmpty(String),
    /// A process serves from it.
    #[error(
        "a service runs on this store; hint: stop it first (a service that was killed is known to be gone after ten seconds)"
    )]
    InUse,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    ringback_store: u32,
    schema: i64,
}

/// One line after the first.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
pub(super) enum Line {
    Row { table: String, row: Fields },
    End { end: Counts },
}

/// Writes the whole store to a file that is not there yet, for its owner's eyes only.
pub async fn export(store: &config::Store, path: &Path) -> Result<Counts, MovingError> {
    opening::is_there(store)?;
    opening::examine(store).await?;
    let mut file = Target::create(path)?;
    let counts = if store.is_postgres() {
        postgres::moving::export(store, &mut file).await?
    } else {
        let (store, moved) = (store.clone(), file);
        let exporting = move || {
            let mut file = moved;
            sqlite::moving::export(&store, &mut file).map(|counts| (file, counts))
        };
        let counts;
        (file, counts) = blocking(exporting).await?;
        counts
    };
    file.finish(&counts)?;
    Ok(counts)
}

/// Reads a whole store from a file into a database with nothing in it: all of it, or nothing.
pub async fn import(store: &config::Store, path: &Path) -> Result<Counts, MovingError> {
    opening::examine(store).await?;
    let mut source = Source::open(path)?;
    if store.is_postgres() {
        postgres::moving::import(store, &mut source).await
    } else {
        let store = store.clone();
        blocking(move || sqlite::moving::import(&store, &mut source)).await
    }
}

/// Runs what calls SQLite where it stands.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MovingError> + Send + 'static,
) -> Result<T, MovingError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)?
}

/// A file that is being written: under another name until it is whole.
pub(super) struct Target {
    path: PathBuf,
    unfinished: PathBuf,
    writer: BufWriter<File>,
    counts: Counts,
}

impl Target {
    fn create(path: &Path) -> Result<Self, MovingError> {
        if path.exists() {
            return Err(at(path)(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the file is there already; hint: name another one",
            )));
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let unfinished = PathBuf::from(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
        let writer = BufWriter::new(file.map_err(at(&unfinished))?);
        Ok(Self { path: path.to_owned(), unfinished, writer, counts: Counts::new() })
    }

    pub(super) fn begin(&mut self, schema: i64) -> Result<(), MovingError> {
        self.line(&Head { ringback_store: FORM, schema })
    }

    pub(super) fn row(&mut self, table: &str, row: Fields) -> Result<(), MovingError> {
        *self.counts.entry(table.to_owned()).or_default() += 1;
        self.line(&Line::Row { table: table.to_owned(), row })
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), MovingError> {
        serde_json::to_writer(&mut self.writer, line)
            .map_err(io::Error::from)
            .and_then(|()| self.writer.write_all(b"\n"))
            .map_err(at(&self.unfinished))
    }

    fn finish(mut self, counts: &Counts) -> Result<(), MovingError> {
        self.line(&Line::End { end: counts.clone() })?;
        let file = self.writer.into_inner().map_err(|error| at(&self.unfinished)(error.into_error()))?;
        file.sync_all().map_err(at(&self.unfinished))?;
        // A link and not a renaming: it fails where somebody has made a file of that name meanwhile.
        std::fs::hard_link(&self.unfinished, &self.path).map_err(at(&self.path))?;
        std::fs::remove_file(&self.unfinished).map_err(at(&self.unfinished))
    }
}

/// A file that is being read.
pub(super) struct Source {
    path: PathBuf,
    lines: io::Lines<BufReader<File>>,
    read: u64,
    counts: Counts,
    schema: i64,
}

impl Source {
    fn open(path: &Path) -> Result<Self, MovingError> {
        let file = File::open(path).map_err(at(path))?;
        let lines = BufReader::new(file).lines();
        let mut source = Self { path: path.to_owned(), lines, read: 0, counts: Counts::new(), schema: 0 };
        let head: Head = source.parsed()?.ok_or_else(|| source.wrong("the file is empty"))?;
        if head.ringback_store != FORM {
            return Err(source.wrong("it was written by another version of ringback, in another form"));
        }
        source.schema = head.schema;
        Ok(source)
    }

    /// Checks that the rows fit a store of that schema.
    pub(super) fn fits(&self, store: i64) -> Result<(), MovingError> {
        if self.schema == store { Ok(()) } else { Err(MovingError::Schema { file: self.schema, store }) }
    }

    /// The next row; `None` once the file has ended as it should.
    pub(super) fn next(&mut self) -> Result<Option<(&'static str, Fields)>, MovingError> {
        match self.parsed()? {
            Some(Line::Row { table, row }) => {
                let Some((known, _)) = TABLES.iter().find(|(known, _)| *known == table) else {
                    return Err(self.wrong(&format!("there is no table {table:?}")));
                };
                *self.counts.entry(table).or_default() += 1;
                Ok(Some((known, row)))
            }
            Some(Line::End { end }) if end != self.counts => {
                Err(self.wrong("it counts other rows than there are: rows are missing"))
            }
            Some(Line::End { .. }) => match self.lines.next() {
                None => Ok(None),
                Some(_) => Err(self.wrong("there is more behind the end")),
            },
            None => Err(self.wrong("the file ends before its end: it was cut short")),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    /// That line is not as it should be.
    pub(super) fn wrong(&self, what: &str) -> MovingError {
        MovingError::Line { path: self.path.display().to_string(), line: self.read, what: what.to_owned() }
    }

    fn parsed<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, MovingError> {
        let Some(line) = self.lines.next() else {
            return Ok(None);
        };
        self.read += 1;
        let line = line.map_err(at(&self.path))?;
        // What the library says may quote a value.
        serde_json::from_str(&line).map(Some).map_err(|_| self.wrong("it is not a line of a store's file"))
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> MovingError {
    let path = path.display().to_string();
    move |source| MovingError::File { path: path.clone(), source }
}
