//! Checking proofs (RFC 9162 §2.1.3.2 and §2.1.4.2): needs the proof, the roots and nothing else.

use crate::{Hash, empty_root, node_hash};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    #[error("the index or the older size lies outside the tree; compare it with the checkpoint's size")]
    OutOfRange,
    #[error("the proof has too many or too few hashes for these sizes; it was made for another tree or cut")]
    Length,
    #[error("the proof does not lead to the root; the record, the proof or the tree was changed")]
    Root,
}

/// Whether the leaf with this hash stands at `index` in the tree of `size` leaves under `root`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), VerifyError> {
    let mut path = Path::new(index, size.checked_sub(1).ok_or(VerifyError::OutOfRange)?)?;
    let mut node = *leaf;
    for sibling in proof {
        node = match path.step()? {
            Side::Left => node_hash(sibling, &node),
            Side::Right => node_hash(&node, sibling),
        };
    }
    path.end()?;
    if node == *root { Ok(()) } else { Err(VerifyError::Root) }
}

/// Whether the tree of `old_size` leaves under `old_root` is the beginning of the one under `new_root`.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), VerifyError> {
    if old_size > new_size {
        return Err(VerifyError::OutOfRange);
    }
    if old_size == 0 || old_size == new_size {
        let known = if old_size == new_size { *new_root } else { empty_root() };
        let empty = new_size > 0 || *new_root == empty_root();
        return match (proof, empty && *old_root == known) {
            ([], true) => Ok(()),
            ([], false) => Err(VerifyError::Root),
            _ => Err(VerifyError::Length),
        };
    }
    // A perfect old tree is itself the first hash of the proof, and left out of it.
    let (first, rest) = match proof.split_first() {
        _ if old_size.is_power_of_two() => (old_root, proof),
        Some(parts) => parts,
        None => return Err(VerifyError::Length),
    };
    let mut path = Path::new(old_size - 1, new_size - 1)?;
    path.skip_right_edges();
    let (mut old, mut new) = (*first, *first);
    for sibling in rest {
        match path.step()? {
            Side::Left => (old, new) = (node_hash(sibling, &old), node_hash(sibling, &new)),
            Side::Right => new = node_hash(&new, sibling),
        }
    }
    path.end()?;
    if old == *old_root && new == *new_root { Ok(()) } else { Err(VerifyError::Root) }
}

/// On which side the next sibling stands.
enum Side {
    Left,
    Right,
}

/// The way up from a node to the root: its index in its level, and the level's last index.
struct Path {
    index: u64,
    last: u64,
}

impl Path {
    fn new(index: u64, last: u64) -> Result<Self, VerifyError> {
        if index > last { Err(VerifyError::OutOfRange) } else { Ok(Self { index, last }) }
    }

    /// One sibling up; levels where the node is the last one and has no sibling are passed over.
    fn step(&mut self) -> Result<Side, VerifyError> {
        if self.last == 0 {
            return Err(VerifyError::Length);
        }
        let side = if self.index & 1 == 1 || self.index == self.last {
            while self.index & 1 == 0 && self.index != 0 {
                self.up();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.up();
        Ok(side)
    }

    fn skip_right_edges(&mut self) {
        while self.index & 1 == 1 {
            self.up();
        }
    }

    fn up(&mut self) {
        self.index >>= 1;
        self.last >>= 1;
    }

    fn end(&self) -> Result<(), VerifyError> {
        if self.last == 0 { Ok(()) } else { Err(VerifyError::Length) }
    }
}
