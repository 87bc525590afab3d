//! Telegrams of several dialects, whole and damaged.

use super::Case;

fn case(name: &str, stream: impl Into<Vec<u8>>, expected: &str) -> Case {
    Case::new(name).with("stream", stream).with("expected", format!("{expected}\n"))
}

/// How a P1 telegram ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Crc,
    Unpadded,
    Nothing,
}

/// A text of these lines, from its first line to its end.
pub fn text(maker: &str, lines: &[String], end: End) -> Vec<u8> {
    let mut text = format!("/{maker}\r\n\r\n");
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push('!');
    let crc = crc_arc(text.as_bytes());
    match end {
        End::Crc => text.push_str(&format!("{crc:04X}")),
        End::Unpadded => text.push_str(&format!("{crc:X}")),
        End::Nothing => {}
    }
    text.push_str("\r\n");
    text.into_bytes()
}

pub fn lines(text: &str) -> Vec<String> {
    text.split('|').map(Into::into).collect()
}

pub fn crc_arc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 })
    })
}

fn crc_x25(bytes: &[u8]) -> u16 {
    let crc = bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x8408 } else { crc >> 1 })
    });
    !crc
}

/// Seven bits and an even parity in the eighth.
fn with_parity(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| byte | (((byte.count_ones() % 2) as u8) << 7)).collect()
}

/// An entry of an SML list: register, DLMS unit, scaler, value.
#[derive(Clone, Copy, Debug)]
pub struct Entry(pub [u8; 3], pub Option<u8>, pub i8, pub Number);

#[derive(Clone, Copy, Debug)]
pub enum Number {
    U64(u64),
    U32(u32),
    I64(i64),
}

const WH: Option<u8> = Some(30);

fn octets(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8 + 1], bytes].concat()
}

fn message(number: u8, tag: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![0x76];
    message.extend(octets(&[0x5a, 0x17, number]));
    message.extend([0x62, 0x00, 0x62, 0x00, 0x72, 0x65, 0x00, 0x00, tag, 0x01]);
    message.extend(body);
    let crc = crc_x25(&message);
    message.push(0x63);
    message.extend(crc.to_le_bytes());
    message.push(0x00);
    message
}

fn list(server: &[u8], entries: &[Entry]) -> Vec<u8> {
    let mut body = vec![0x77, 0x01];
    body.extend(octets(server));
    body.extend([0x01, 0x72, 0x62, 0x01, 0x65, 0x00, 0x01, 0x86, 0xa0]);
    body.push(0x70 | entries.len() as u8);
    for Entry([group, eight, tariff], unit, scaler, number) in entries {
        body.push(0x77);
        body.extend(octets(&[1, 0, *group, *eight, *tariff, 255]));
        body.extend([0x01, 0x01]);
        body.extend(unit.map_or(vec![0x01], |unit| vec![0x62, unit]));
        body.extend([0x52, *scaler as u8]);
        match number {
            Number::U64(value) => body.extend([&[0x69], &value.to_be_bytes()[..]].concat()),
            Number::U32(value) => body.extend([&[0x65], &value.to_be_bytes()[..]].concat()),
            Number::I64(value) => body.extend([&[0x59], &value.to_be_bytes()[..]].concat()),
        }
        body.push(0x01);
    }
    body.extend([0x01, 0x01]);
    body
}

/// An SML file of one or more lists, in its transport.
pub fn sml(lists: &[(&[u8], &[Entry])]) -> Vec<u8> {
    let mut file =
        message(1, 0x01, &[&[0x76, 0x01, 0x01][..], &octets(b"file"), &octets(b"srv"), &[0x01, 0x01]].concat());
    for (server, entries) in lists {
        file.extend(message(2, 0x07, &list(server, entries)));
    }
    file.extend(message(3, 0x02, &[0x71, 0x01]));
    transport(&file)
}

pub fn transport(file: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1b, 0x1b, 0x1b, 0x1b, 0x01, 0x01, 0x01, 0x01];
    let mut escapes = 0;
    for byte in file {
        bytes.push(*byte);
        escapes = if *byte == 0x1b { escapes + 1 } else { 0 };
        if escapes == 4 {
            bytes.extend([0x1b; 4]);
            escapes = 0;
        }
    }
    let padding = (4 - bytes.len() % 4) % 4;
    bytes.extend(vec![0; padding]);
    bytes.extend([0x1b, 0x1b, 0x1b, 0x1b, 0x1a, padding as u8]);
    let crc = crc_x25(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

const SERVER: [u8; 10] = [0x0a, 0x01, 0x5a, 0x50, 0x41, 0x00, 0x01, 0x02, 0x03, 0x1b];
const SERVER_ID: &str = "0a015a5041000102031b";

pub fn cases() -> Vec<Case> {
    let mut cases = dialects();
    cases.extend(binary());
    cases.extend(faults());
    cases
}

fn dialects() -> Vec<Case> {
    let v5 = lines(
        "1-3:0.2.8(50)|0-0:1.0.0(260714123000S)|0-0:96.1.1(4530303536303037)|1-0:1.8.1(004102.311*kWh)|\
         1-0:1.8.2(003990.120*kWh)|1-0:2.8.1(000731.204*kWh)|1-0:2.8.2(001904.500*kWh)|0-0:96.14.0(0002)|\
         1-0:2.7.0(02.140*kW)|0-1:24.1.0(003)|0-1:96.1.0(4730303332)|0-1:24.2.1(260714122500S)(00911.070*m3)",
    );
    let v5_reading = "energy 2635704000\nid 4530303536303037";
    // The checksum of this telegram begins with a 0.
    let unpadded = (0..)
        .map(|number| {
            lines(&format!(
                "1-3:0.2.8(42)|0-0:96.1.1(53{number:04})|1-0:2.8.1(000001.000*kWh)|1-0:2.8.2(000002.000*kWh)"
            ))
        })
        .find(|lines| text("XMX5LGB000", lines, End::Unpadded).len() < text("XMX5LGB000", lines, End::Crc).len());
    let unpadded = unpadded.unwrap();
    let unpadded_id = unpadded[1].trim_start_matches("0-0:96.1.1(").trim_end_matches(')').to_string();
    let mode_d = lines(
        "1-0:0.0.0*255(770001)|1-0:0.0.9*255(1ESY0077000155)|1-0:1.8.0*255(00008123.4560000*kWh)|\
         1-0:2.8.0*255(00003021.7501239*kWh)|1-0:2.8.0*01(00002990.0000000*kWh)|1-0:16.7.0*255(-002140.11*W)",
    );
    let mode_d_reading = "energy 3021750123\nid 1ESY0077000155";
    vec![
        case("p1-v5", text("KFM5KAIFA-METER", &v5, End::Crc), v5_reading),
        case("p1-unpadded-checksum", text("XMX5LGB000", &unpadded, End::Unpadded), &format!("energy 3000000\nid {unpadded_id}")),
        case(
            "p1-v2-without-a-checksum",
            text(
                "ISk5\\2MT382-1004",
                &lines("0-0:96.1.1(5A4641)|1-0:1.8.1(04102.311*kWh)|1-0:2.8.1(00731.204*kWh)|1-0:2.8.2(01904.500*kWh)|0-0:17.0.0(999*A)"),
                End::Nothing,
            ),
            "energy 2635704000\nid 5A4641",
        ),
        case(
            "p1-watt-hours",
            text(
                "Lux5\\253663629_D",
                &lines("1-3:0.2.8(42)|0-0:42.0.0(53414731)|1-0:1.8.0(000004102*Wh)|1-0:2.8.0(000000058*Wh)|1-0:3.8.0(000000001*varh)"),
                End::Crc,
            ),
            "energy 58000",
        ),
        case(
            "p1-flanders",
            text(
                "FLU5\\253770234_A",
                &lines("0-0:96.1.4(50217)|0-0:96.1.1(3153414731)|1-0:1.8.1(000034.5*kWh)|1-0:2.8.1(000731.204*kWh)|1-0:2.8.2(001904.5*kWh)|0-0:96.13.0()"),
                End::Crc,
            ),
            "energy 2635704000\nid 3153414731",
        ),
        case(
            "p1-total-and-tariffs",
            text("AUX59", &lines("1-0:2.8.0(002635.704*kWh)|1-0:2.8.1(000731.200*kWh)|1-0:2.8.2(001904.500*kWh)"), End::Crc),
            "energy 2635704000",
        ),
        case("mode-d", text("ESY5Q3DB1024 V3.04", &mode_d, End::Nothing), mode_d_reading),
        case("mode-d-with-parity", with_parity(&text("ESY5Q3DB1024 V3.04", &mode_d, End::Nothing)), mode_d_reading),
        case(
            "mode-d-without-a-medium",
            text("LGZ4ZMD120", &lines("0.0.0(770001)|1.8.0(008123.4*kWh)|2.8.0(003021.7*kWh)"), End::Nothing),
            "energy 3021700000",
        ),
    ]
}

fn binary() -> Vec<Case> {
    let import = Entry([1, 8, 0], WH, -1, Number::U64(81_234_560));
    let export = |scaler, number| [import, Entry([2, 8, 0], WH, scaler, number)];
    let one = |entries: &[Entry]| sml(&[(&SERVER, entries)]);
    let reads = |mwh: u64| format!("energy {mwh}\nid {SERVER_ID}");
    let mut cases: Vec<Case> =
        [(-4, 12_345_678_999, 1_234_567_899), (-3, 30_217_501, 30_217_501), (-2, 302_175_019, 3_021_750_190)]
            .into_iter()
            .chain([(-1, 30_217_501, 3_021_750_100), (0, 3_021_750, 3_021_750_000), (1, 302_175, 3_021_750_000)])
            .chain([(2, 30_217, 3_021_700_000), (3, 3_021, 3_021_000_000)])
            .map(|(scaler, value, mwh)| {
                case(&format!("sml-scaler-{scaler}"), one(&export(scaler, Number::U64(value))), &reads(mwh))
            })
            .collect();
    cases.extend([
        case(
            "sml-two-tariffs",
            one(&[import, Entry([2, 8, 1], WH, -1, Number::U32(7_312_040)), Entry([2, 8, 2], WH, -1, Number::I64(19_045_000))]),
            &reads(2_635_704_000),
        ),
        case(
            "sml-escapes-in-the-value",
            one(&export(-1, Number::U64(0x1b1b_1b1b))),
            &reads(0x1b1b_1b1b * 100),
        ),
        case(
            "sml-one-tariff-of-two",
            one(&[import, Entry([2, 8, 1], WH, -1, Number::U32(7_312_040))]),
            "error missing: the message does not have the register 2.8.2",
        ),
        case(
            "sml-import-only",
            one(&[import]),
            "error no_export: the meter shows only what is drawn from the grid (1.8.x), and nothing that is exported (2.8.x)",
        ),
        case(
            "sml-power-only",
            one(&[Entry([16, 7, 0], Some(27), 0, Number::I64(-2_140))]),
            "error missing: the message does not have the register 2.8.0",
        ),
        case(
            "sml-negative",
            one(&export(-1, Number::I64(-5))),
            "error negative: the register is negative, so it is not the export register",
        ),
        case(
            "sml-var-hours",
            one(&[Entry([2, 8, 0], Some(32), -1, Number::U64(5))]),
            "error wrong_unit: the unit is \"DLMS unit 32\", where Wh or kWh was expected",
        ),
        case(
            "sml-no-unit",
            one(&[Entry([2, 8, 0], None, -1, Number::U64(5))]),
            "error wrong_unit: the unit is \"\", where Wh or kWh was expected",
        ),
        case(
            "sml-scaler-out-of-range",
            one(&export(6, Number::U64(5))),
            "error wrong_unit: the unit is \"10^6 Wh\", where Wh or kWh was expected",
        ),
        case(
            "sml-too-large",
            one(&export(3, Number::U64(u64::MAX))),
            "error too_large: the value is larger than any register",
        ),
        case(
            "sml-two-meters",
            sml(&[(&SERVER, &export(-1, Number::U64(5))), (b"other", &export(-1, Number::U64(5)))]),
            &format!("error two_meters: there are two meters in it: {SERVER_ID} and 6f74686572"),
        ),
        case(
            "sml-list-of-billions",
            transport(&[&[0x76, 0x02, 0x01, 0x62, 0x00, 0x62, 0x00, 0x72, 0x65, 0, 0, 7, 1, 0x77, 0x01, 0x02, 0x01, 0x01, 0x01][..], &[0xff, 0x8f, 0x8f, 0x8f, 0x8f, 0x8f, 0x8f, 0x0f]].concat()),
            "error garbled: the telegram has characters or fields that do not belong there",
        ),
    ]);
    cases
}

fn faults() -> Vec<Case> {
    let small = lines("1-3:0.2.8(50)|0-0:96.1.1(4530)|1-0:2.8.1(000731.204*kWh)|1-0:2.8.2(001904.500*kWh)");
    let good = text("KFM5KAIFA", &small, End::Crc);
    let reading = "energy 2635704000\nid 4530";
    let binary = sml(&[(&SERVER, &[Entry([2, 8, 0], WH, -1, Number::U64(30_217_501))])]);
    let binary_reading = format!("energy 3021750100\nid {SERVER_ID}");
    let damaged = |bytes: &[u8], find: &[u8], put: &[u8]| {
        let at = bytes.windows(find.len()).position(|window| window == find).unwrap();
        [&bytes[..at], put, &bytes[at + find.len()..]].concat()
    };
    let simple =
        |name: &str, line: &str, expected: &str| case(name, text("KFM5KAIFA", &lines(line), End::Crc), expected);
    let bad_checksum = "error bad_checksum: the telegram's checksum is wrong: it was damaged on its way";
    let noise = "error noise: what arrives is no telegram: check the speed of the line, and whether the meter encrypts";
    let torn = "error torn_frame: the telegram is torn: its end is missing";
    vec![
        case("text-checksum-is-wrong", damaged(&good, b"001904.500", b"009104.500"), bad_checksum),
        case("text-checksum-is-missing", text("KFM5KAIFA", &small, End::Nothing), "error no_checksum: the telegram has no checksum, though this meter sends one"),
        case(
            "text-checksum-is-missing-after-one-that-had-it",
            [text("AUX59", &lines("1-0:2.8.0(1*kWh)"), End::Crc), text("AUX59", &lines("1-0:2.8.0(2*kWh)"), End::Nothing)].concat(),
            "energy 1000000\nerror no_checksum: the telegram has no checksum, though this meter sends one",
        ),
        case("text-torn-then-whole", [&good[..60], &good].concat(), &format!("{torn}\n{reading}")),
        case("text-begun-in-the-middle", [&good[30..], &good].concat(), reading),
        case("text-twice", [&good[..], &good].concat(), &format!("{reading}\n{reading}")),
        case(
            "text-parity-is-wrong",
            damaged(&with_parity(&text("ESY5", &lines("1-0:2.8.0*255(3021.75*kWh)"), End::Nothing)), b".", b"\x2f"),
            "error garbled: the telegram has characters or fields that do not belong there",
        ),
        case("noise-between", [b"\x00\xff//\x1b\x1b/K\n".as_slice(), &good, b"\x1b\x1b\x1b\x1b\x01", &binary, b"!\r\n"].concat(), &format!("{reading}\n{binary_reading}")),
        case("noise-only", vec![0x5a; 9_000], noise),
        case("nothing-yet", &good[..good.len() - 2], "nothing"),
        case("sml-torn-then-whole", [&binary[..50], &binary].concat(), &format!("{torn}\n{binary_reading}")),
        case("sml-torn-within-an-escape", [&binary[..binary.len() - 6], &binary].concat(), &format!("{bad_checksum}\n{binary_reading}")),
        case("sml-checksum-is-wrong", damaged(&binary, &30_217_501_u64.to_be_bytes(), &30_217_502_u64.to_be_bytes()), bad_checksum),
        simple("text-wrong-unit", "1-0:2.8.0(3021.75*MJ)", "error wrong_unit: the unit is \"MJ\", where Wh or kWh was expected"),
        simple("text-no-unit", "1-0:2.8.0(3021.75)", "error wrong_unit: the unit is \"\", where Wh or kWh was expected"),
        simple("text-not-a-number", "1-0:2.8.0(----.--*kWh)", "error not_a_number: \"----.--\" is not a decimal number"),
        simple("text-negative", "1-0:2.8.0(-12.5*kWh)", "error negative: the register is negative, so it is not the export register"),
        simple(
            "text-import-only",
            "1-0:1.8.1(004102.311*kWh)|1-0:1.8.2(003990.120*kWh)|1-0:2.7.0(00.000*kW)",
            "error no_export: the meter shows only what is drawn from the grid (1.8.x), and nothing that is exported (2.8.x)",
        ),
        simple("text-one-tariff-of-two", "1-0:2.8.2(001904.500*kWh)", "error missing: the message does not have the register 2.8.1"),
        simple("text-gas-only", "0-1:24.2.1(260714122500S)(00911.070*m3)", "error missing: the message does not have the register 2.8.0"),
        simple("text-contradiction", "1-0:2.8.0(1*kWh)|1-0:2.8.0(2*kWh)", "error contradiction: the register 2.8.0 is there twice, with different values"),
        simple("text-two-meters", "0-0:96.1.1(4530)|1-0:2.8.0(1*kWh)|0-0:96.1.1(4531)", "error two_meters: there are two meters in it: 4530 and 4531"),
        simple("text-no-closing-bracket", "1-0:2.8.0(1*kWh", "error garbled: the telegram has characters or fields that do not belong there"),
        case(
            "text-checksum-is-no-number",
            b"/AUX59\r\n\r\n1-0:2.8.0(1*kWh)\r\n!+12\r\n",
            "error garbled: the telegram has characters or fields that do not belong there",
        ),
        case(
            "text-checksum-of-five-digits",
            damaged(&text("AUX59", &lines("1-0:2.8.0(1*kWh)"), End::Crc), b"\n!", b"\n!0"),
            "error garbled: the telegram has characters or fields that do not belong there",
        ),
        case("text-maker-of-two-letters", b"/AU-59\r\n\r\n1-0:2.8.0(1*kWh)\r\n!\r\n", "nothing"),
        case(
            "text-too-long",
            [b"/KFM5KAIFA\r\n\r\n0-0:96.13.0(".to_vec(), vec![b'3'; 9_000], b")\r\n!\r\n".to_vec(), good.clone()].concat(),
            &format!("error too_long: the message is longer than 8192 bytes\n{noise}\n{reading}"),
        ),
    ]
}
