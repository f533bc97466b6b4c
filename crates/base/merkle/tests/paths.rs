//! Paths and bodies of tiles and bundles: what is written reads back, and nothing else is taken.

use merkle::{Tile, TileId, decode_entries, encode_entries, entries_path, parse_entries_path};
use proptest::prelude::*;
use safeconduct_merkle as merkle;

#[test]
fn paths_are_those_of_the_specification() {
    let path = |level, index, width| TileId::new(level, index, width).unwrap().path();
    assert_eq!(path(4, 1_234_067, 256), "tile/4/x001/x234/067");
    assert_eq!(path(0, 0, 256), "tile/0/000");
    assert_eq!(path(0, 1_000, 1), "tile/0/x001/000.p/1");
    assert_eq!(entries_path(TileId::new(0, 999, 255).unwrap()), "tile/entries/999.p/255");
    assert_eq!((TileId::new(8, 0, 1), TileId::new(0, 0, 0), TileId::new(0, 0, 257)), (None, None, None));
}

#[test]
fn other_spellings_are_refused() {
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/00/000",
        "tile/+0/000",
        "tile/8/000",
        "tile/-1/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/001/234",
        "tile/0/x001",
        "tile/0/x000/001",
        "tile/0/xx01/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1.p/1",
        "tile/0/000/",
        "/tile/0/000",
        "tile/entries/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/\u{660}00",
    ] {
        assert!(TileId::parse(path).is_err(), "{path}");
    }
    assert!(parse_entries_path("tile/0/000").is_err());
    assert!(parse_entries_path("tile/entries/000.p/256").is_err());
}

#[test]
fn bundles_and_tiles_hold_whole_hashes() {
    let hashes = vec![[1; 32], [2; 32]];
    let bundle = encode_entries(&hashes);
    assert_eq!(hex::encode(&bundle[..4]), "00200101");
    assert_eq!(decode_entries(&bundle).unwrap(), hashes);
    let mut longer = bundle.clone();
    longer[1] = 33;
    for wrong in [&bundle[..67], &longer, &[], &encode_entries(&vec![[0; 32]; 257])] {
        assert!(decode_entries(wrong).is_err());
    }
    let tile = Tile { level: 1, index: 5, hashes };
    let id = tile.id().unwrap();
    assert_eq!(Tile::from_bytes(id, &tile.to_bytes()).unwrap(), tile);
    for wrong in [&tile.to_bytes()[..63], &tile.to_bytes()[..32], &[]] {
        assert!(Tile::from_bytes(id, wrong).is_err());
    }
    assert_eq!(Tile { level: 0, index: 0, hashes: vec![] }.id(), None);
}

proptest! {
    #[test]
    fn paths_read_back(level in 0_u8..8, index: u64, width in 1_usize..=256) {
        let tile = TileId::new(level, index, width).unwrap();
        prop_assert_eq!(tile.path().parse(), Ok(tile));
        let bundle = TileId::new(0, index, width).unwrap();
        prop_assert_eq!(parse_entries_path(&entries_path(bundle)), Ok(bundle));
    }

    #[test]
    fn the_tiles_of_a_tree_end_where_it_ends(level in 0_u8..8, size: u64, back in 0_u64..3) {
        let hashes = size >> (8 * level);
        let index = (hashes / 256).saturating_sub(back);
        match TileId::at(level, index, size) {
            Some(tile) if tile.is_full() => prop_assert!((index + 1) * 256 <= hashes),
            Some(tile) => prop_assert_eq!(index * 256 + tile.width() as u64, hashes),
            None => prop_assert_eq!(index * 256, hashes),
        }
        prop_assert_eq!(TileId::at(level, hashes / 256 + 1, size), None);
    }

    #[test]
    fn parsing_foreign_bytes_is_total(text in "\\PC{0,60}", path in "(tile/|entries/|[0-9]{1,3}|x[0-9]{3}/|/|\\.p/|[0-9]{1,25}){0,10}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for text in [&text, &path] {
            if let Ok(tile) = TileId::parse(text) {
                prop_assert_eq!(&tile.path(), text);
            }
            if let Ok(tile) = parse_entries_path(text) {
                prop_assert_eq!(&entries_path(tile), text);
            }
        }
        if let Ok(entries) = decode_entries(&bytes) {
            prop_assert_eq!(encode_entries(&entries), bytes);
        }
    }
}
