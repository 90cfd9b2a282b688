//! Places for those who follow a callback live: so many in all, and so many for one address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

/// The places.
#[derive(Clone, Debug)]
pub struct Followers(Arc<Places>);

#[derive(Debug)]
struct Places {
    most: usize,
    most_of_one: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_one: HashMap<IpAddr, usize>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    network: Option<IpAddr>,
}

/// No place is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// At this process.
    Process,
    /// For this address.
    Address,
}

impl Followers {
    /// So many places, of which one address may have so many.
    pub fn new(most: usize, most_of_one: usize) -> Self {
        Self(Arc::new(Places { most, most_of_one, taken: Mutex::default() }))
    }

    /// Takes a place for a follower of that network; `None`: for one who is known.
    pub fn take(&self, network: Option<IpAddr>) -> Result<Place, Full> {
        let mut taken = self.0.taken.lock();
        if taken.all >= self.0.most {
            return Err(Full::Process);
        }
        if let Some(network) = network {
            let of_one = taken.of_one.entry(network).or_default();
            if *of_one >= self.0.most_of_one {
                return Err(Full::Address);
            }
            *of_one += 1;
        }
        taken.all += 1;
        Ok(Place { places: Arc::clone(&self.0), network })
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.0.taken.lock().all
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        taken.all -= 1;
        if let Some(network) = self.network
            && let Entry::Occupied(mut of_one) = taken.of_one.entry(network)
        {
            *of_one.get_mut() -= 1;
            if *of_one.get() == 0 {
                of_one.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place_and_what_is_left_is_free_again() {
        let followers = Followers::new(3, 2);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().ok());
        let (first, second) = (followers.take(one).unwrap(), followers.take(one).unwrap());
        assert_eq!(followers.take(one).unwrap_err(), Full::Address);
        let third = followers.take(other).unwrap();
        assert_eq!(followers.take(other).unwrap_err(), Full::Process);
        drop(first);
        assert_eq!(followers.taken(), 2);
        drop((second, third, followers.take(one).unwrap()));
        assert!(followers.0.taken.lock().of_one.is_empty());
    }
}
