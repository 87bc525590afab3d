//! Which characters a file's bytes are. Names of columns and numbers are all that is read, so the encodings that portals use
//! can be told apart by their bytes.

use std::borrow::Cow;

/// UTF-8, UTF-16 of either order, or else latin-1, in which all bytes are characters.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => decode(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // Without a byte order mark, the zeros beside the first letter tell the order.
        [first, 0, ..] if *first != 0 => utf16(bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(bytes, u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => bytes.iter().copied().map(char::from).collect::<String>().into(),
        },
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'_, str> {
    let units = bytes.chunks_exact(2).filter_map(|pair| Some(unit(pair.try_into().ok()?)));
    char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encodings_of_portals_are_told_apart() {
        let text = "Qualität;Wert\n";
        let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
        let latin: Vec<u8> = text.chars().map(|char| char as u8).collect();
        for bytes in [
            text.as_bytes(),
            &[&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
            &latin,
            &little,
            &[&[0xff, 0xfe], &little[..]].concat(),
            &big,
            &[&[0xfe, 0xff], &big[..]].concat(),
        ] {
            assert_eq!(decode(bytes), text);
        }
    }
}
