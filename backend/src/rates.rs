//! How many requests in what time.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A number of requests in a time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How many.
    pub requests: u32,
    /// In how many seconds.
    pub per_s: u32,
}

/// Rates that hold together: each for a time of its own. Written as one table, or as a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates(Vec<Rate>);

impl Rates {
    /// Each rate.
    pub fn as_slice(&self) -> &[Rate] {
        &self.0
    }
}

impl FromIterator<Rate> for Rates {
    fn from_iter<I: IntoIterator<Item = Rate>>(rates: I) -> Self {
        Self(rates.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Rates;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("{ requests = N, per_s = N } or a list of these")
            }

            fn visit_map<A: MapAccess<'de>>(self, rate: A) -> Result<Rates, A::Error> {
                Ok(Rates(vec![Rate::deserialize(MapAccessDeserializer::new(rate))?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rates: A) -> Result<Rates, A::Error> {
                let mut all = Vec::new();
                while let Some(rate) = rates.next_element()? {
                    all.push(rate);
                }
                Ok(Rates(all))
            }
        }

        deserializer.deserialize_any(OneOrMore)
    }
}
