//! Blobs of both kinds, and where their fields are.

use super::*;
use proptest::prelude::*;

fn header(is_external: bool) -> Header {
    Header {
        is_external,
        key_arn: "arn:aws:kms:us-west-2:111122223333:key/k".to_owned(),
        material_id: "m".to_owned(),
        salt: [7; SALT_LENGTH],
        iv: [9; IV_LENGTH],
    }
}

/// Returns a blob of each kind. The first layer's ciphertext has a tag.
fn blobs(ciphertext: &[u8], metadata: Vec<u8>) -> [(Header, Body); 2] {
    let with_tag = [ciphertext, &[2; TAG_LENGTH]].concat();
    let external = ExternalCiphertext {
        initialization_vector: vec![1; 12],
        authentication_tag: vec![2; 16],
        ciphertext_metadata: metadata,
        ciphertext: with_tag.clone(),
    };
    [(header(true), Body::Double(external)), (header(false), Body::Single(with_tag))]
}

proptest! {
    #[test]
    fn ciphertext_blob_round_trips(ciphertext: Vec<u8>, metadata in prop::collection::vec(any::<u8>(), 0..20)) {
        for (header, body) in blobs(&ciphertext, metadata) {
            let blob = encode(&header, &body);
            let trailing = decode(&[blob.as_slice(), &[0]].concat()).unwrap_err();
            prop_assert_eq!((trailing.offset, trailing.kind), (blob.len(), ParseErrorKind::TrailingBytes(1)));
            prop_assert_eq!(decode(&blob), Ok((header, body)));
        }
    }

    #[test]
    fn fields_cover_the_blob_without_gaps(ciphertext: Vec<u8>, metadata in prop::collection::vec(any::<u8>(), 0..20)) {
        for (header, body) in blobs(&ciphertext, metadata) {
            let blob = encode(&header, &body);
            let parsed = parse(&blob).unwrap();
            let mut end = 0;
            for field in &parsed.fields {
                prop_assert_eq!(field.range.start, end, "{:?}", field);
                end = field.range.end;
            }
            prop_assert_eq!(end, blob.len());
            let bytes = |wanted| {
                let is_value = |field: &&FieldRange| field.field == wanted && field.part == FieldPart::Value;
                parsed.fields.iter().find(is_value).map(|field| blob[field.range.clone()].to_vec())
            };
            prop_assert_eq!(bytes(Field::KeyArn), Some(header.key_arn.into_bytes()));
            prop_assert_eq!(bytes(Field::Salt), Some(header.salt.to_vec()));
            prop_assert_eq!(bytes(Field::Iv), Some(header.iv.to_vec()));
            match body {
                Body::Single(inner) => {
                    prop_assert_eq!([bytes(Field::Ciphertext).unwrap(), bytes(Field::Tag).unwrap()].concat(), inner);
                    prop_assert_eq!(bytes(Field::ExternalCiphertext), None);
                }
                Body::Double(external) => {
                    prop_assert_eq!(bytes(Field::ExternalIv), Some(external.initialization_vector));
                    prop_assert_eq!(bytes(Field::ExternalTag), Some(external.authentication_tag));
                    prop_assert_eq!(bytes(Field::ExternalMetadata), Some(external.ciphertext_metadata));
                    prop_assert_eq!(bytes(Field::ExternalCiphertext), Some(external.ciphertext));
                    prop_assert_eq!(bytes(Field::Ciphertext), None);
                }
            }
        }
    }

    #[test]
    fn truncated_blob_stops_inside_of_it(ciphertext: Vec<u8>, metadata in prop::collection::vec(any::<u8>(), 0..20)) {
        for (header, body) in blobs(&ciphertext, metadata) {
            let blob = encode(&header, &body);
            for length in 0..blob.len() {
                let error = parse(&blob[..length]).unwrap_err();
                prop_assert!(error.offset <= length, "{length}: {error:?}");
                let ParseErrorKind::Truncated { needed, left } = error.kind else { panic!("{error:?}") };
                prop_assert!(left == length - error.offset && left < needed, "{:?}", error);
            }
        }
    }

    #[test]
    fn changed_blob_never_panics(byte in 0_usize..400, value: u8, ciphertext: Vec<u8>) {
        for (header, body) in blobs(&ciphertext, vec![1; 5]) {
            let mut blob = encode(&header, &body);
            let index = byte % blob.len();
            blob[index] = value;
            if let Err(error) = parse(&blob) {
                prop_assert!(error.offset <= blob.len(), "{error:?}");
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(blob: Vec<u8>) {
        if let Err(error) = parse(&blob) {
            prop_assert!(error.offset <= blob.len(), "{error:?}");
        }
    }
}

#[test]
fn errors_name_the_offset_and_the_field() {
    let [_, (header, body)] = blobs(b"text", Vec::new());
    let blob = encode(&header, &body);
    let error = |index: usize, value: u8| {
        let mut changed = blob.clone();
        changed[index] = value;
        parse(&changed).unwrap_err().to_string()
    };
    for (index, value, message) in [
        (1, b'-', "parsing stopped at offset 1, because the blob doesn't begin with \"XKSC\""),
        (4, 9, "parsing stopped at offset 4, because the format is 9, and this version only knows 1"),
        (5, 2, "parsing stopped at offset 5, because the kind is 2, which must be 0 or 1"),
        (6, 255, "parsing stopped at offset 8, because the field \"Key ARN\" needs 65320 bytes, and 97 follow"),
        (9, 0xff, "parsing stopped at offset 9, because the field \"Key ARN\" isn't text"),
        (52, 15, "parsing stopped at offset 53, because the field \"Salt\" has 15 bytes instead of 16"),
        (84, 15, "parsing stopped at offset 85, because the field \"Tag\" has 15 bytes instead of 16"),
    ] {
        assert_eq!(error(index, value), message);
    }
}

#[test]
fn aad_differs_for_contexts_with_the_same_concatenation() {
    let context = |key: &str, value: &str| EncryptionContext::from([(key.to_owned(), value.to_owned())]);
    assert_ne!(header(true).inner_aad(&context("a", "bc")), header(true).inner_aad(&context("ab", "c")));
}
