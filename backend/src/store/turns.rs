//! Whose turn it is: the sites with something to do are served in a circle, each oldest first, so that a site with a
//! thousand callbacks does not hold back the one of another.

use parking_lot::Mutex;

/// The sites that have something to do, now or later; reads one index entry a site.
pub(super) const SITES: &str = "WITH RECURSIVE waiting (site) AS ( \
         SELECT min(site) FROM callback WHERE due_at IS NOT NULL \
         UNION ALL \
         SELECT (SELECT min(site) FROM callback WHERE due_at IS NOT NULL AND site > waiting.site) \
         FROM waiting WHERE waiting.site IS NOT NULL \
     ) SELECT site FROM waiting WHERE site IS NOT NULL";

/// Where the circle stands.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<String>);

impl Turns {
    /// The sites in the order of their turns, given in the order of their names.
    pub(super) fn order(&self, mut sites: Vec<String>) -> Vec<String> {
        let last = self.0.lock();
        let served = sites.partition_point(|site| *site <= *last);
        sites.rotate_left(served);
        sites
    }

    /// That site had its turn.
    pub(super) fn served(&self, site: &str) {
        site.clone_into(&mut self.0.lock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_round() {
        let turns = Turns::default();
        let sites = || ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(turns.order(sites()), ["a", "b", "c"]);
        turns.served("a");
        assert_eq!(turns.order(sites()), ["b", "c", "a"]);
        turns.served("bb");
        assert_eq!(turns.order(sites()), ["c", "a", "b"]);
        turns.served("c");
        assert_eq!(turns.order(sites()), ["a", "b", "c"]);
    }
}
