//! A small table whose keys are ids that ascend.

/// A hash table for ids of our own making: they are given out in order, and few of them are in use at
/// a time, so that nearly each has a place of its own and nothing needs to be hashed.
///
/// Open addressing with linear probing in the order of Robin Hood: who is further from home goes first.
/// An id that stays for long while others come and go is stepped over.
#[derive(Debug)]
pub(crate) struct IdTable<T> {
    places: Vec<Option<(u64, T)>>,
    len: usize,
}

const SMALLEST: usize = 16;

impl<T> Default for IdTable<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            len: 0,
        }
    }
}

impl<T> IdTable<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Stream ids are odd numbers: halved, they are neighbours.
    fn home(&self, id: u64) -> usize {
        (id >> 1) as usize & (self.places.len().wrapping_sub(1))
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.places.len().wrapping_sub(1))
    }

    /// How far the id at `at` is from its home.
    fn distance(&self, at: usize, id: u64) -> usize {
        at.wrapping_sub(self.home(id)) & (self.places.len().wrapping_sub(1))
    }

    #[inline]
    fn find(&self, id: u64) -> Option<usize> {
        let mut at = self.home(id);
        let mut distance = 0;
        loop {
            #[cfg(test)]
            super::work::add(1);
            let (there, _) = self.places.get(at)?.as_ref()?;
            if *there == id {
                return Some(at);
            }
            if self.distance(at, *there) < distance {
                return None;
            }
            at = self.next(at);
            distance += 1;
        }
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.find(id).is_some()
    }

    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<&T> {
        let at = self.find(id)?;
        self.places.get(at)?.as_ref().map(|(_, value)| value)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        let at = self.find(id)?;
        self.places.get_mut(at)?.as_mut().map(|(_, value)| value)
    }

    /// An id that is in the table already gets the new value.
    #[inline]
    pub(crate) fn insert(&mut self, id: u64, value: T) {
        if self.len * 2 >= self.places.len() {
            self.grow();
        }
        let home = self.home(id);
        if let Some(place @ None) = self.places.get_mut(home) {
            *place = Some((id, value));
            self.len += 1;
            return;
        }
        self.insert_crowded(id, value);
    }

    #[cold]
    fn insert_crowded(&mut self, mut id: u64, mut value: T) {
        if let Some(place) = self.get_mut(id) {
            *place = value;
            return;
        }
        let mut at = self.home(id);
        let mut distance = 0;
        loop {
            #[cfg(test)]
            super::work::add(1);
            let next = self.next(at);
            let theirs = match self.places.get(at) {
                Some(Some((there, _))) => self.distance(at, *there),
                _ => 0,
            };
            match self.places.get_mut(at) {
                Some(Some(there)) => {
                    if theirs < distance {
                        std::mem::swap(&mut there.0, &mut id);
                        std::mem::swap(&mut there.1, &mut value);
                        distance = theirs;
                    }
                }
                Some(place) => {
                    *place = Some((id, value));
                    self.len += 1;
                    return;
                }
                // Never: `at` is kept within the table, which is not empty.
                None => return,
            }
            at = next;
            distance += 1;
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, id: u64) -> Option<T> {
        let at = self.find(id)?;
        let (_, value) = self.places.get_mut(at)?.take()?;
        self.len -= 1;
        self.close_up(at);
        Some(value)
    }

    /// Moves the entries behind a gap closer to their home slots.
    #[inline]
    fn close_up(&mut self, mut gap: usize) {
        loop {
            #[cfg(test)]
            super::work::add(1);
            let next = self.next(gap);
            match self.places.get(next) {
                Some(Some((there, _))) if self.distance(next, *there) > 0 => self.places.swap(gap, next),
                _ => return,
            }
            gap = next;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let room = (self.places.len() * 2).max(SMALLEST);
        let mut places = Vec::new();
        places.resize_with(room, || None);
        let old = std::mem::replace(&mut self.places, places);
        self.len = 0;
        for (id, value) in old.into_iter().flatten() {
            self.insert(id, value);
        }
    }

    /// Returns the number of places: what it costs to go through [`ids`](Self::ids).
    pub(crate) fn places(&self) -> usize {
        self.places.len()
    }

    /// The ids, in no order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> {
        #[cfg(test)]
        super::work::add(self.places.len() as u64);
        self.places.iter().flatten().map(|(id, _)| *id)
    }

    /// The values, in no order.
    #[cfg(test)]
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        super::work::add(self.places.len() as u64);
        self.places.iter_mut().flatten().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Against the standard library's table: ids that ascend, some of which stay for very long.
    #[test]
    fn does_what_a_hash_map_does() {
        for seed in 1..=40u64 {
            let mut random = seed;
            let mut draw = |below: u64| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random % below
            };
            let mut table = IdTable::default();
            let mut model = HashMap::new();
            let mut open: Vec<u64> = Vec::new();
            let mut next = draw(3);
            let crowd = 1 + draw(200) as usize;
            for step in 0..6_000u64 {
                match draw(5) {
                    0 | 1 if open.len() < crowd => {
                        next += 1 + draw(3);
                        table.insert(next, step);
                        model.insert(next, step);
                        open.push(next);
                    }
                    2 if !open.is_empty() => {
                        let id = open[draw(open.len() as u64) as usize];
                        table.insert(id, step);
                        model.insert(id, step);
                    }
                    3 => {
                        let id = draw(next + 2);
                        assert_eq!(table.get(id), model.get(&id), "seed {seed}");
                        assert_eq!(table.contains(id), model.contains_key(&id));
                        assert_eq!(table.get_mut(id), model.get_mut(&id));
                    }
                    _ if !open.is_empty() => {
                        // Mostly the oldest, as answers come.
                        let at = match draw(4) {
                            0 => draw(open.len() as u64) as usize,
                            _ => 0,
                        };
                        let id = open.remove(at);
                        assert_eq!(table.remove(id), model.remove(&id), "seed {seed}");
                        assert_eq!(table.remove(id), None);
                    }
                    _ => {}
                }
                assert_eq!((table.len(), table.is_empty()), (model.len(), model.is_empty()));
            }
            let mut ids: Vec<u64> = table.ids().collect();
            ids.sort_unstable();
            open.sort_unstable();
            assert_eq!(ids, open);
            for value in table.values_mut() {
                *value += 1;
            }
            for id in open {
                assert_eq!(table.get(id), Some(&(model[&id] + 1)));
            }
        }
    }

    #[test]
    fn one_that_stays_does_not_make_the_table_grow() {
        let mut table = IdTable::default();
        table.insert(1, ());
        for id in 1..100_000u64 {
            table.insert(id * 2 + 1, ());
            if id > 4 {
                assert!(table.remove((id - 4) * 2 + 1).is_some());
            }
        }
        assert!(table.contains(1));
        assert_eq!(table.places.len(), SMALLEST);
    }
}
