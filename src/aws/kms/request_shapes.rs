//! The shapes of all KMS requests, including operations that the bundled AWS doesn't support.
//!
//! Source: the public API model of KMS, 2014-11-01. The handler of each operation checks the rules that only the
//! documentation describes.

use crate::aws::shape::Shape::{self, Blob, Boolean, Enum, Integer, List, Map, Structure, Timestamp};
use crate::aws::shape::{Member, string};

const KEY_ID: Shape = string(1, 2048);
const KEY: Member = KEY_ID.required("KeyId");
const ALIAS_NAME: Member = string(1, 256).with_pattern("^[a-zA-Z0-9:/_-]+$").required("AliasName");
const TARGET_KEY: Member = KEY_ID.required("TargetKeyId");
const LIMIT: Member = Integer(1, 1000).optional("Limit");
const MARKER: Member = string(1, 1024).with_pattern("[\\u0020-\\u00FF]*").optional("Marker");
const DESCRIPTION: Shape = string(0, 8192);
const POLICY: Shape = string(1, 131_072).with_pattern("[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+");
const POLICY_NAME: Member = string(1, 128).with_pattern("[\\w]+").optional("PolicyName");
const BYPASS: Member = Boolean.optional("BypassPolicyLockoutSafetyCheck");
const TAG_KEY: Shape = string(1, 128);
const TAGS: Shape = List(&Structure(&[TAG_KEY.required("TagKey"), string(0, 256).required("TagValue")]), 0, usize::MAX);
const GRANT_TOKEN: Shape = string(1, 8192);
const GRANT_TOKENS: Member = List(&GRANT_TOKEN, 0, 10).optional("GrantTokens");
const GRANT_ID: Shape = string(1, 128);
const DRY_RUN: Member = Boolean.optional("DryRun");
const DRY_RUN_MODIFIERS: Member = List(&Enum(&["IGNORE_CIPHERTEXT"]), 0, usize::MAX).optional("DryRunModifiers");
const PRINCIPAL: Shape = string(1, 256).with_pattern("^[\\w+=,.@:/-]+$");
const SERVICE_PRINCIPAL: Shape =
    string(1, 128).with_pattern("^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$");
const PLAINTEXT: Shape = Blob(1, 4096);
const CIPHERTEXT: Shape = Blob(1, 6144);
const CONTEXT: Member = Map.optional("EncryptionContext");
const ENCRYPTION_ALGORITHM: Shape = Enum(&["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"]);
const DATA_KEY_SPEC: Member = Enum(&["AES_256", "AES_128"]).optional("KeySpec");
const NUMBER_OF_BYTES: Member = Integer(1, 1024).optional("NumberOfBytes");
const RECIPIENT: Member = Structure(&[
    Enum(&["RSAES_OAEP_SHA_256"]).optional("KeyEncryptionAlgorithm"),
    Blob(1, 262_144).optional("AttestationDocument"),
])
.optional("Recipient");
const REGION: Shape = string(1, 32).with_pattern("^([a-z]+-){2,3}\\d+$");
const KEY_MATERIAL_ID: Member = string(64, 64).with_pattern("^[a-f0-9]+$").optional("KeyMaterialId");
const MESSAGE_TYPE: Member = Enum(&["RAW", "DIGEST", "EXTERNAL_MU"]).optional("MessageType");
const ENCAPSULATION_ALGORITHM: Member = Enum(&["ML_KEM"]).required("EncapsulationAlgorithm");
const MAC_ALGORITHM: Member =
    Enum(&["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"]).required("MacAlgorithm");
const SIGNING_ALGORITHM: Member = Enum(&[
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "ECDSA_SHA_256",
    "ECDSA_SHA_384",
    "ECDSA_SHA_512",
    "SM2DSA",
    "ML_DSA_SHAKE_256",
    "ED25519_SHA_512",
    "ED25519_PH_SHA_512",
])
.required("SigningAlgorithm");
const KEY_PAIR_SPEC: Member = Enum(&[
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "SM2",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
])
.required("KeyPairSpec");
const KEY_SPEC: Shape = Enum(&[
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "SYMMETRIC_DEFAULT",
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
]);
const CUSTOMER_MASTER_KEY_SPEC: Shape = Enum(&[
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "SYMMETRIC_DEFAULT",
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
]);
const KEY_USAGE: Shape =
    Enum(&["SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"]);
const ORIGIN: Shape = Enum(&["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]);
const GRANT_OPERATIONS: Shape = List(
    &Enum(&[
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
        "Sign",
        "Verify",
        "GetPublicKey",
        "CreateGrant",
        "RetireGrant",
        "DescribeKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateMac",
        "VerifyMac",
        "DeriveSharedSecret",
        "Encapsulate",
        "Decapsulate",
    ]),
    0,
    usize::MAX,
);
const GRANT_CONSTRAINTS: Shape = Structure(&[
    Map.optional("EncryptionContextSubset"),
    Map.optional("EncryptionContextEquals"),
    string(20, 512).with_pattern("^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$").optional("SourceArn"),
]);
const WRAPPING_ALGORITHM: Shape = Enum(&[
    "RSAES_PKCS1_V1_5",
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
    "SM2PKE",
]);
const STORE_ID: Shape = string(1, 64);
const STORE: Member = STORE_ID.required("CustomKeyStoreId");
const STORE_NAME: Shape = string(1, 256);
const XKS_KEY_ID: Member = string(1, 128).with_pattern("^[a-zA-Z0-9-_.]+$").optional("XksKeyId");
const CLUSTER_ID: Member = string(19, 24).with_pattern("cluster-[2-7a-zA-Z]{11,16}").optional("CloudHsmClusterId");
const PASSWORD: Member = string(7, 32).sensitive().optional("KeyStorePassword");
const STORE_TYPE: Shape = Enum(&["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]);
const ENDPOINT: Member = string(10, 128).with_pattern("^https://[a-zA-Z0-9.-]+$").optional("XksProxyUriEndpoint");
const PATH: Member = string(10, 128)
    .with_pattern("^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$")
    .optional("XksProxyUriPath");
const VPC_SERVICE: Member = string(20, 64)
    .with_pattern("^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$")
    .optional("XksProxyVpcEndpointServiceName");
const VPC_SERVICE_OWNER: Member = string(12, 12).with_pattern("[0-9]{12}").optional("XksProxyVpcEndpointServiceOwner");
const CREDENTIAL: Member = Structure(&[
    string(20, 30).with_pattern("^[A-Z2-7]+$").sensitive().required("AccessKeyId"),
    string(43, 64).with_pattern("^[a-zA-Z0-9\\/+=]+$").sensitive().required("RawSecretAccessKey"),
])
.optional("XksProxyAuthenticationCredential");
const CONNECTIVITY: Member = Enum(&["PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"]).optional("XksProxyConnectivity");

/// A `'static` slice of members.
macro_rules! members {
    ($($member:expr),* $(,)?) => { const { &[$($member),*] } };
}

/// Returns the members of an operation's request, or `None` if KMS has no such operation.
#[allow(clippy::too_many_lines)]
pub fn request_members(operation: &str) -> Option<&'static [Member]> {
    Some(match operation {
        "CancelKeyDeletion"
        | "DisableKey"
        | "DisableKeyRotation"
        | "EnableKey"
        | "GetKeyLastUsage"
        | "GetKeyRotationStatus"
        | "RotateKeyOnDemand" => members![KEY],
        "ConnectCustomKeyStore" | "DeleteCustomKeyStore" | "DisconnectCustomKeyStore" => members![STORE],
        "CreateAlias" | "UpdateAlias" => members![ALIAS_NAME, TARGET_KEY],
        "CreateCustomKeyStore" => members![
            STORE_NAME.required("CustomKeyStoreName"),
            CLUSTER_ID,
            string(1, 5000).optional("TrustAnchorCertificate"),
            PASSWORD,
            STORE_TYPE.optional("CustomKeyStoreType"),
            ENDPOINT,
            PATH,
            VPC_SERVICE,
            VPC_SERVICE_OWNER,
            CREDENTIAL,
            CONNECTIVITY,
        ],
        "CreateGrant" => members![
            KEY,
            PRINCIPAL.optional("GranteePrincipal"),
            PRINCIPAL.optional("RetiringPrincipal"),
            GRANT_OPERATIONS.required("Operations"),
            GRANT_CONSTRAINTS.optional("Constraints"),
            GRANT_TOKENS,
            string(1, 256).with_pattern("^[a-zA-Z0-9:/_-]+$").optional("Name"),
            DRY_RUN,
            SERVICE_PRINCIPAL.optional("GranteeServicePrincipal"),
            SERVICE_PRINCIPAL.optional("RetiringServicePrincipal"),
        ],
        "CreateKey" => members![
            POLICY.optional("Policy"),
            DESCRIPTION.optional("Description"),
            KEY_USAGE.optional("KeyUsage"),
            CUSTOMER_MASTER_KEY_SPEC.optional("CustomerMasterKeySpec"),
            KEY_SPEC.optional("KeySpec"),
            ORIGIN.optional("Origin"),
            STORE_ID.optional("CustomKeyStoreId"),
            BYPASS,
            TAGS.optional("Tags"),
            Boolean.optional("MultiRegion"),
            XKS_KEY_ID,
        ],
        "Decapsulate" => members![
            KEY,
            CIPHERTEXT.required("SharedSecretCiphertextBlob"),
            ENCAPSULATION_ALGORITHM,
            GRANT_TOKENS,
            DRY_RUN,
        ],
        "Decrypt" => members![
            CIPHERTEXT.optional("CiphertextBlob"),
            CONTEXT,
            GRANT_TOKENS,
            KEY_ID.optional("KeyId"),
            ENCRYPTION_ALGORITHM.optional("EncryptionAlgorithm"),
            RECIPIENT,
            DRY_RUN,
            DRY_RUN_MODIFIERS,
        ],
        "DeleteAlias" => members![ALIAS_NAME],
        "DeleteImportedKeyMaterial" => members![KEY, KEY_MATERIAL_ID],
        "DeriveSharedSecret" => members![
            KEY,
            Enum(members!["ECDH"]).required("KeyAgreementAlgorithm"),
            Blob(1, 8192).required("PublicKey"),
            GRANT_TOKENS,
            DRY_RUN,
            RECIPIENT,
        ],
        "DescribeCustomKeyStores" => {
            members![STORE_ID.optional("CustomKeyStoreId"), STORE_NAME.optional("CustomKeyStoreName"), LIMIT, MARKER]
        }
        "DescribeKey" | "GetPublicKey" => members![KEY, GRANT_TOKENS],
        "EnableKeyRotation" => members![KEY, Integer(90, 2560).optional("RotationPeriodInDays")],
        "Encapsulate" => members![KEY, ENCAPSULATION_ALGORITHM, GRANT_TOKENS, DRY_RUN],
        "Encrypt" => members![
            KEY,
            PLAINTEXT.required("Plaintext"),
            CONTEXT,
            GRANT_TOKENS,
            ENCRYPTION_ALGORITHM.optional("EncryptionAlgorithm"),
            DRY_RUN,
        ],
        "GenerateDataKey" => members![KEY, CONTEXT, NUMBER_OF_BYTES, DATA_KEY_SPEC, GRANT_TOKENS, RECIPIENT, DRY_RUN],
        "GenerateDataKeyPair" => members![KEY, CONTEXT, KEY_PAIR_SPEC, GRANT_TOKENS, RECIPIENT, DRY_RUN],
        "GenerateDataKeyPairWithoutPlaintext" => members![KEY, CONTEXT, KEY_PAIR_SPEC, GRANT_TOKENS, DRY_RUN],
        "GenerateDataKeyWithoutPlaintext" => {
            members![KEY, CONTEXT, NUMBER_OF_BYTES, DATA_KEY_SPEC, GRANT_TOKENS, DRY_RUN]
        }
        "GenerateMac" => members![KEY, PLAINTEXT.required("Message"), MAC_ALGORITHM, GRANT_TOKENS, DRY_RUN],
        "GenerateRandom" => members![NUMBER_OF_BYTES, STORE_ID.optional("CustomKeyStoreId"), RECIPIENT],
        "GetKeyPolicy" => members![KEY, POLICY_NAME],
        "GetParametersForImport" => members![
            KEY,
            WRAPPING_ALGORITHM.required("WrappingAlgorithm"),
            Enum(members!["RSA_2048", "RSA_3072", "RSA_4096", "SM2"]).required("WrappingKeySpec"),
        ],
        "ImportKeyMaterial" => members![
            KEY,
            CIPHERTEXT.required("ImportToken"),
            CIPHERTEXT.required("EncryptedKeyMaterial"),
            Timestamp.optional("ValidTo"),
            Enum(members!["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"]).optional("ExpirationModel"),
            Enum(members!["NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"]).optional("ImportType"),
            string(0, 256).with_pattern("^[a-zA-Z0-9:/_\\s.-]+$").optional("KeyMaterialDescription"),
            KEY_MATERIAL_ID,
        ],
        "ListAliases" => members![KEY_ID.optional("KeyId"), LIMIT, MARKER],
        "ListGrants" => members![
            LIMIT,
            MARKER,
            KEY,
            GRANT_ID.optional("GrantId"),
            PRINCIPAL.optional("GranteePrincipal"),
            SERVICE_PRINCIPAL.optional("GranteeServicePrincipal"),
        ],
        "ListKeyPolicies" | "ListResourceTags" => members![KEY, LIMIT, MARKER],
        "ListKeyRotations" => {
            members![
                KEY,
                Enum(members!["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"]).optional("IncludeKeyMaterial"),
                LIMIT,
                MARKER
            ]
        }
        "ListKeys" => {
            members![
                LIMIT,
                MARKER,
                List(&Enum(members!["SELF", "OTHER_ACCOUNTS_VIA_RAM"]), 1, 2).optional("ResourceOwners")
            ]
        }
        "ListRetirableGrants" => members![
            LIMIT,
            MARKER,
            PRINCIPAL.optional("RetiringPrincipal"),
            SERVICE_PRINCIPAL.optional("RetiringServicePrincipal"),
        ],
        "PutKeyPolicy" => members![KEY, POLICY_NAME, POLICY.required("Policy"), BYPASS],
        "ReEncrypt" => members![
            CIPHERTEXT.optional("CiphertextBlob"),
            Map.optional("SourceEncryptionContext"),
            KEY_ID.optional("SourceKeyId"),
            KEY_ID.required("DestinationKeyId"),
            Map.optional("DestinationEncryptionContext"),
            ENCRYPTION_ALGORITHM.optional("SourceEncryptionAlgorithm"),
            ENCRYPTION_ALGORITHM.optional("DestinationEncryptionAlgorithm"),
            GRANT_TOKENS,
            DRY_RUN,
            DRY_RUN_MODIFIERS,
        ],
        "ReplicateKey" => members![
            KEY,
            REGION.required("ReplicaRegion"),
            POLICY.optional("Policy"),
            BYPASS,
            DESCRIPTION.optional("Description"),
            TAGS.optional("Tags"),
        ],
        "RetireGrant" => {
            members![
                GRANT_TOKEN.optional("GrantToken"),
                KEY_ID.optional("KeyId"),
                GRANT_ID.optional("GrantId"),
                DRY_RUN
            ]
        }
        "RevokeGrant" => members![KEY, GRANT_ID.required("GrantId"), DRY_RUN],
        "ScheduleKeyDeletion" => members![KEY, Integer(1, 365).optional("PendingWindowInDays")],
        "Sign" => members![KEY, PLAINTEXT.required("Message"), MESSAGE_TYPE, GRANT_TOKENS, SIGNING_ALGORITHM, DRY_RUN],
        "TagResource" => members![KEY, TAGS.required("Tags")],
        "UntagResource" => members![KEY, List(&TAG_KEY, 0, usize::MAX).required("TagKeys")],
        "UpdateCustomKeyStore" => members![
            STORE,
            STORE_NAME.optional("NewCustomKeyStoreName"),
            PASSWORD,
            CLUSTER_ID,
            ENDPOINT,
            PATH,
            VPC_SERVICE,
            VPC_SERVICE_OWNER,
            CREDENTIAL,
            CONNECTIVITY,
        ],
        "UpdateKeyDescription" => members![KEY, DESCRIPTION.required("Description")],
        "UpdatePrimaryRegion" => members![KEY, REGION.required("PrimaryRegion")],
        "Verify" => members![
            KEY,
            PLAINTEXT.required("Message"),
            MESSAGE_TYPE,
            CIPHERTEXT.required("Signature"),
            SIGNING_ALGORITHM,
            GRANT_TOKENS,
            DRY_RUN,
        ],
        "VerifyMac" => members![
            KEY,
            PLAINTEXT.required("Message"),
            MAC_ALGORITHM,
            CIPHERTEXT.required("Mac"),
            GRANT_TOKENS,
            DRY_RUN,
        ],
        _ => return None,
    })
}
