"""Tests of the served AWS with other clients: boto3 and the AWS CLI.

Usage: python aws.py PROGRAM
"""

import atexit
import base64
import contextlib
import datetime
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import boto3
import botocore
import botocore.config
import botocore.model

PROGRAM = None


class SchemaMismatch(AssertionError):
    """A response that doesn't match the API model."""


def check_shape(value, shape, path):
    """Checks a parsed response against its shape: no unknown members, no missing required members, and the right types."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            raise SchemaMismatch(f"{path}: {value!r} is not a structure")
        for name in value:
            if name != "ResponseMetadata" and name not in shape.members:
                raise SchemaMismatch(f"{path}.{name} is not a member of {shape.name}")
        for name in shape.required_members:
            if name not in value:
                raise SchemaMismatch(f"{path}.{name} is missing")
        for name, member in value.items():
            if name in shape.members:
                check_shape(member, shape.members[name], f"{path}.{name}")
    elif kind == "list":
        for index, member in enumerate(value):
            check_shape(member, shape.member, f"{path}[{index}]")
    elif kind == "map":
        for name, member in value.items():
            check_shape(member, shape.value, f"{path}[{name}]")
    elif kind == "string":
        # boto3 parses the policy documents of IAM.
        if shape.name == "policyDocumentType" and isinstance(value, dict):
            value = json.dumps(value)
        if not isinstance(value, str):
            raise SchemaMismatch(f"{path}: {value!r} is not a string")
        if shape.enum and value not in shape.enum:
            raise SchemaMismatch(f"{path}: {value!r} is not one of {shape.enum}")
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10**9)
        if not low <= len(value) <= high:
            raise SchemaMismatch(f"{path}: {len(value)} characters instead of {low} to {high}")
        # Python's regular expressions don't support Unicode categories.
        pattern = shape.metadata.get("pattern", "(?s:.*)")
        if "\\p{" not in pattern and not re.fullmatch(pattern, value):
            raise SchemaMismatch(f"{path}: {value!r} doesn't match {shape.metadata['pattern']}")
    elif kind == "timestamp":
        if not isinstance(value, datetime.datetime):
            raise SchemaMismatch(f"{path}: {value!r} is not a timestamp")
    elif kind == "blob":
        if not isinstance(value, bytes):
            raise SchemaMismatch(f"{path}: {value!r} is not bytes")
    elif kind == "boolean":
        if not isinstance(value, bool):
            raise SchemaMismatch(f"{path}: {value!r} is not a boolean")
    elif kind in ("integer", "long", "float", "double"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SchemaMismatch(f"{path}: {value!r} is not a number")
    else:
        raise SchemaMismatch(f"{path}: unknown type {kind}")


def check_members(value, shape, path):
    """Checks the raw response for unknown members, which boto3 drops."""
    if shape.type_name == "structure":
        for name, member in value.items():
            if name not in shape.members:
                raise SchemaMismatch(f"{path}.{name} is not a member of {shape.name}")
            check_members(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            check_members(member, shape.member, f"{path}[{index}]")


# KMS operations that the served KMS doesn't have.
UNSUPPORTED = {
    "Decapsulate", "DeleteImportedKeyMaterial", "DeriveSharedSecret", "Encapsulate", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial",
    "ReplicateKey", "Sign", "UpdatePrimaryRegion", "Verify", "VerifyMac",
}


class ValidatingClient:
    """A boto3 client that checks its responses against the API model."""

    # The service and name of each operation that succeeded with any client.
    seen = set()

    def __init__(self, client):
        self.client = client
        service = client.meta.service_model
        if service.metadata["protocol"] == "json":
            client.meta.events.register("before-parse.*", self.check_raw_members)

    def check_raw_members(self, operation_model, response_dict, **_):
        if response_dict["status_code"] == 200 and operation_model.output_shape is not None:
            check_members(json.loads(response_dict["body"]), operation_model.output_shape, operation_model.name)

    def __getattr__(self, name):
        call = getattr(self.client, name)
        operation = self.client.meta.method_to_api_mapping.get(name)
        if operation is None:
            return call

        def checked(**arguments):
            response = call(**arguments)
            shape = self.client.meta.service_model.operation_model(operation).output_shape
            if shape is not None:
                check_shape(response, shape, operation)
            assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
            assert len(response["ResponseMetadata"]["RequestId"]) == 36
            self.seen.add((self.client.meta.service_model.service_name, operation))
            return response

        return checked


class Server:
    """The program, serving a new account."""

    def __init__(self, *arguments):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        self.arguments = arguments
        self.start()

    def start(self):
        command = [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(self.path), *self.arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)
        self.environment = {}
        while "AWS_SECRET_ACCESS_KEY" not in self.environment:
            line = self.process.stdout.readline()
            assert line.startswith("export "), line
            name, value = shlex.split(line)[1].split("=", 1)
            self.environment[name] = value
        self.url = self.environment["AWS_ENDPOINT_URL"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0

    def session(self, profile="default"):
        os.environ["AWS_CONFIG_FILE"] = str(self.path / "config")
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(self.path / "credentials")
        return boto3.Session(profile_name=profile)

    def client(self, service, profile="default"):
        config = botocore.config.Config(retries={"max_attempts": 1}, ignore_configured_endpoint_urls=False)
        return ValidatingClient(self.session(profile).client(service, config=config))

    def cli(self, *arguments, **variables):
        output = self.run(str(pathlib.Path(sys.executable).with_name("aws")), *arguments, **variables)
        return json.loads(output) if output.strip() else None

    def run(self, *command, **variables):
        environment = {"PATH": os.environ["PATH"], **self.environment, **variables}
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def proxy_configuration(self, partition):
        return json.loads(self.proxy("rotate-credential", partition))

    def proxy(self, *arguments):
        command = [PROGRAM, "proxy", *arguments, "--data-dir", str(self.path)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextlib.contextmanager
def assert_client_error(test, code):
    """Asserts that the block raises a ClientError with this code."""
    with test.assertRaises(botocore.exceptions.ClientError) as caught:
        yield
    test.assertEqual(caught.exception.response["Error"]["Code"], code)


class AwsClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aws = Server()

    @classmethod
    def tearDownClass(cls):
        kms = cls.aws.client("kms").meta.service_model
        cls.aws.stop()
        missing = {name for name in kms.operation_names if name not in UNSUPPORTED and ("kms", name) not in ValidatingClient.seen}
        assert not missing, f"untested operations: {missing}"

    def key_store(self, name):
        response = self.aws.client("kms").describe_custom_key_stores(CustomKeyStoreName=name)
        return response["CustomKeyStores"][0]["CustomKeyStoreId"]

    def test_guide_example_runs(self):
        store = self.key_store("Frankfurt HSM")
        # Dates in the format of AWS CLI version 2 and of the guide.
        iso = self.aws.path / "iso"
        iso.write_text("[default]\ncli_timestamp_format = iso8601\n")
        created = self.aws.cli(
            "kms", "create-key", "--origin", "EXTERNAL_KEY_STORE",
            "--custom-key-store-id", store, "--xks-key-id", "payments-2026",
            AWS_CONFIG_FILE=str(iso),
        )["KeyMetadata"]
        self.assertEqual(created["Arn"], f"arn:aws:kms:us-west-2:111122223333:key/{created['KeyId']}")
        self.assertEqual(created["XksKeyConfiguration"], {"Id": "payments-2026"})
        expected = {
            "AWSAccountId": "111122223333",
            "CustomKeyStoreId": store,
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "Description": "",
            "Enabled": True,
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyState": "Enabled",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "MultiRegion": False,
            "Origin": "EXTERNAL_KEY_STORE",
        }
        self.assertEqual({name: created[name] for name in expected}, expected)
        self.assertEqual(set(created), {"Arn", "CreationDate", "KeyId", "XksKeyConfiguration", *expected})
        self.assertIsNotNone(datetime.datetime.fromisoformat(created["CreationDate"]).tzinfo)
        blob = self.aws.cli("kms", "encrypt", "--key-id", created["Arn"], "--plaintext", "four corners")["CiphertextBlob"]
        plain = self.aws.path / "blob"
        plain.write_bytes(base64.b64decode(blob))
        decrypted = self.aws.cli("kms", "decrypt", "--ciphertext-blob", f"fileb://{plain}")
        self.assertEqual(decrypted["KeyId"], created["Arn"])
        self.assertEqual(base64.b64decode(decrypted["Plaintext"]), b"four corners")

    def test_create_key_output_matches_the_aws_cli(self):
        for external in ("created-by-program", "created-by-aws-cli"):
            self.aws.proxy("create-key", "--partition", "frankfurt", "--id", external)
        # Dates in the format of AWS CLI version 2. The rest of the output is the same in versions 1 and 2.
        iso = self.aws.path / "iso-too"
        iso.write_text("[default]\ncli_timestamp_format = iso8601\n")
        variables = {"AWS_CONFIG_FILE": str(iso), "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8"}
        aws = str(pathlib.Path(sys.executable).with_name("aws"))
        description = 'Zahlungen – "Straße"\n'
        output = self.aws.run(
            PROGRAM, "create-key", "--yes", "--endpoint-url", self.aws.url, "--custom-key-store-id", "Frankfurt HSM",
            "--xks-key-id", "created-by-program", "--alias", "created-by-program", "--description", description, "--tag", "a=b",
            **variables,
        )
        key = json.loads(output)["KeyMetadata"]
        self.assertEqual(output, self.aws.run(aws, "kms", "describe-key", "--key-id", "alias/created-by-program", **variables))
        aws_output = self.aws.run(
            aws, "kms", "create-key", "--origin", "EXTERNAL_KEY_STORE", "--custom-key-store-id", self.key_store("Frankfurt HSM"),
            "--xks-key-id", "created-by-aws-cli", "--description", description,
            **variables,
        )
        other = json.loads(aws_output)["KeyMetadata"]
        for name in ("Arn", "KeyId", "CreationDate"):
            aws_output = aws_output.replace(other[name], key[name])
        self.assertEqual(output, aws_output.replace("created-by-aws-cli", "created-by-program"))

    def test_key_store_and_key_lifecycle(self):
        kms = self.aws.client("kms")
        file = self.aws.proxy_configuration("oslo")
        created = kms.create_custom_key_store(
            CustomKeyStoreName="Oslo HSM",
            CustomKeyStoreType="EXTERNAL_KEY_STORE",
            XksProxyUriEndpoint="https://xks-proxy.bundled.internal",
            XksProxyConnectivity="PUBLIC_ENDPOINT",
            **file,
        )
        store = created["CustomKeyStoreId"]
        key = dict(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="oslo-vault")
        with assert_client_error(self, "CustomKeyStoreInvalidStateException"):
            kms.create_key(**key)
        kms.connect_custom_key_store(CustomKeyStoreId=store)
        self.wait_for_state(store, "CONNECTED")
        key_id = kms.create_key(**key, Description="d", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
        with assert_client_error(self, "XksKeyAlreadyInUseException"):
            kms.create_key(**key)
        kms.create_alias(AliasName="alias/oslo", TargetKeyId=key_id)
        kms.update_key_description(KeyId=key_id, Description="another")
        kms.tag_resource(KeyId=key_id, Tags=[{"TagKey": "c", "TagValue": "d"}])
        kms.untag_resource(KeyId=key_id, TagKeys=["a"])
        self.assertEqual(kms.list_resource_tags(KeyId=key_id)["Tags"], [{"TagKey": "c", "TagValue": "d"}])
        policy = kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
        kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=policy)
        self.assertEqual(kms.list_key_policies(KeyId=key_id)["PolicyNames"], ["default"])
        context = {"project": "nile"}
        for name in ("alias/oslo", key_id):
            blob = kms.encrypt(KeyId=name, Plaintext=b"x" * 4096, EncryptionContext=context)["CiphertextBlob"]
            response = kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)
            self.assertEqual(response["Plaintext"], b"x" * 4096)
        data = kms.generate_data_key(KeyId="alias/oslo", KeySpec="AES_256")
        self.assertEqual(kms.decrypt(CiphertextBlob=data["CiphertextBlob"])["Plaintext"], data["Plaintext"])
        kms.generate_data_key_without_plaintext(KeyId="alias/oslo", NumberOfBytes=64)
        kms.re_encrypt(CiphertextBlob=data["CiphertextBlob"], DestinationKeyId="alias/app-logs")
        self.assertEqual(len(kms.generate_random(NumberOfBytes=17)["Plaintext"]), 17)
        with assert_client_error(self, "DryRunOperationException"):
            kms.encrypt(KeyId=key_id, Plaintext=b"x", DryRun=True)
        kms.disable_key(KeyId=key_id)
        with assert_client_error(self, "DisabledException"):
            kms.encrypt(KeyId=key_id, Plaintext=b"x")
        kms.enable_key(KeyId=key_id)
        kms.update_alias(AliasName="alias/oslo", TargetKeyId=key_id)
        kms.delete_alias(AliasName="alias/oslo")
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        kms.describe_key(KeyId=key_id)
        kms.cancel_key_deletion(KeyId=key_id)
        kms.update_custom_key_store(CustomKeyStoreId=store, NewCustomKeyStoreName="Oslo HSM 2")
        kms.disconnect_custom_key_store(CustomKeyStoreId=store)
        self.wait_for_state(store, "DISCONNECTED")
        with assert_client_error(self, "CustomKeyStoreHasCMKsException"):
            kms.delete_custom_key_store(CustomKeyStoreId=store)
        self.assertIn(key_id, [key["KeyId"] for key in kms.list_keys(Limit=1000)["Keys"]])
        self.assertIn("alias/app-logs", [alias["AliasName"] for alias in kms.list_aliases(Limit=100)["Aliases"]])
        for operation, key in (("list_keys", "Keys"), ("list_aliases", "Aliases")):
            pages = [page[key] for page in kms.get_paginator(operation).paginate(PaginationConfig={"PageSize": 2})]
            self.assertGreater(len(pages), 2)

    def test_empty_key_store_can_be_deleted(self):
        kms = self.aws.client("kms")
        self.aws.proxy("create-partition", "temporary")
        created = kms.create_custom_key_store(**json.loads((self.aws.path / "create-temporary.json").read_text()))
        store = {"CustomKeyStoreId": created["CustomKeyStoreId"]}
        kms.delete_custom_key_store(**store)
        with assert_client_error(self, "CustomKeyStoreNotFoundException"):
            kms.describe_custom_key_stores(**store)

    def test_partition_created_while_serving_can_back_a_key_store(self):
        self.aws.proxy("create-partition", "team-red")
        self.aws.proxy("create-key", "--partition", "team-red", "--id", "red-1")
        request = self.aws.path / "create-team-red.json"
        self.assertEqual(request.stat().st_mode & 0o777, 0o600)
        created = self.aws.cli("kms", "create-custom-key-store", "--cli-input-json", f"file://{request}")
        store, kms = created["CustomKeyStoreId"], self.aws.client("kms")
        kms.connect_custom_key_store(CustomKeyStoreId=store)
        self.wait_for_state(store, "CONNECTED")
        key = kms.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="red-1")["KeyMetadata"]["KeyId"]
        blob = kms.encrypt(KeyId=key, Plaintext=b"red")["CiphertextBlob"]
        self.aws.proxy("rotate-key", "--partition", "team-red", "--id", "red-1")
        self.assertEqual(kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"red")
        self.aws.proxy("disable-key", "--partition", "team-red", "--id", "red-1")
        with assert_client_error(self, "KMSInvalidStateException"):
            kms.decrypt(CiphertextBlob=blob)
        self.aws.proxy("enable-key", "--partition", "team-red", "--id", "red-1")
        self.assertEqual(kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"red")
        # Rotating the credential and revoking the old one doesn't interrupt the key store.
        old = kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"][0]["XksProxyConfiguration"]["AccessKeyId"]
        file = json.loads(self.aws.proxy("rotate-credential", "team-red"))
        credential = file["XksProxyAuthenticationCredential"]
        kms.update_custom_key_store(CustomKeyStoreId=store, XksProxyAuthenticationCredential=credential)
        self.aws.proxy("revoke-credential", "team-red", old)
        self.assertEqual(kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"red")
        self.aws.proxy("delete-key", "--partition", "team-red", "--id", "red-1", "--yes")
        with assert_client_error(self, "KMSInvalidStateException"):
            kms.decrypt(CiphertextBlob=blob)

    def test_profiles_cover_every_kind_of_caller(self):
        callers = {
            "Admin": "arn:aws:iam::111122223333:user/Admin",
            "grace.liu": "arn:aws:iam::111122223333:user/payments/grace.liu",
            "partner.analyst": "arn:aws:iam::444455556666:user/partner.analyst",
        }
        for profile, arn in callers.items():
            self.assertEqual(self.aws.client("sts", profile).get_caller_identity()["Arn"], arn)
        role = self.aws.client("sts", "SecurityAudit").get_caller_identity()["Arn"]
        self.assertTrue(role.startswith("arn:aws:sts::111122223333:assumed-role/SecurityAudit/"), role)
        auditor = self.aws.client("kms", "SecurityAudit")
        key = auditor.describe_key(KeyId="alias/customer-db")["KeyMetadata"]["KeyId"]
        with assert_client_error(self, "AccessDeniedException"):
            auditor.encrypt(KeyId=key, Plaintext=b"x")
        kms = self.aws.client("kms")
        grantee = callers["grace.liu"]
        grant = kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt", "DescribeKey"])
        self.aws.client("kms", "grace.liu").encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[grant["GrantToken"]])
        self.assertEqual([one["GranteePrincipal"] for one in kms.list_grants(KeyId=key)["Grants"]], [grantee])
        kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
        with assert_client_error(self, "AccessDeniedException"):
            self.aws.client("kms", "grace.liu").encrypt(KeyId=key, Plaintext=b"x")
        again = kms.create_grant(KeyId=key, GranteePrincipal=grantee, RetiringPrincipal=grantee, Operations=["Decrypt"])
        retirable = kms.list_retirable_grants(RetiringPrincipal=grantee)["Grants"]
        self.assertEqual([one["GrantId"] for one in retirable], [again["GrantId"]])
        self.aws.client("kms", "grace.liu").retire_grant(GrantToken=again["GrantToken"])
        self.assertEqual(kms.list_retirable_grants(RetiringPrincipal=grantee)["Grants"], [])

    def wait_for_state(self, store, state):
        kms = self.aws.client("kms")
        for _ in range(60):
            found = kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"][0]
            if found["ConnectionState"] == state:
                return
            self.assertNotEqual(found["ConnectionState"], "FAILED", found)
            time.sleep(0.2)
        self.fail(f"{store} did not become {state}")

    def test_iam_and_sts_respond(self):
        iam, sts = self.aws.client("iam"), self.aws.client("sts")
        self.assertEqual(sts.get_caller_identity()["Arn"], "arn:aws:iam::111122223333:user/Admin")
        self.assertGreater(len(iam.list_roles(MaxItems=3)["Roles"]), 2)
        self.assertEqual(iam.list_account_aliases()["AccountAliases"], ["xks-demo"])
        users = [user for page in iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 7}) for user in page["Users"]]
        self.assertEqual(len(users), 20)

    def test_policies_are_simulated(self):
        iam, role = self.aws.client("iam"), "arn:aws:iam::111122223333:role/security/HsmOperator"
        self.assertEqual(iam.get_role(RoleName="HsmOperator")["Role"]["Arn"], role)
        self.assertEqual(iam.get_user()["User"]["UserName"], "Admin")
        actions = ["kms:CreateKey", "kms:TagResource", "kms:DescribeKey"]
        pages = iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=role,
            ActionNames=actions,
            ContextEntries=[
                {"ContextKeyName": "aws:TagKeys", "ContextKeyType": "stringList", "ContextKeyValues": ["team", "7"]}
            ],
            PaginationConfig={"PageSize": 2},
        )
        results = [result for page in pages for result in page["EvaluationResults"]]
        self.assertEqual([result["EvalActionName"] for result in results], actions)
        self.assertEqual([result["EvalDecision"] for result in results], ["allowed", "implicitDeny", "allowed"])
        self.assertEqual(results[0]["MatchedStatements"][0]["SourcePolicyType"], "role")
        self.assertEqual((results[0]["EvalResourceName"], results[1]["MissingContextValues"]), ("*", []))
        with assert_client_error(self, "NoSuchEntity"):
            iam.simulate_principal_policy(PolicySourceArn=role + "s", ActionNames=actions)
        with assert_client_error(self, "AccessDenied"):
            self.aws.client("iam", "grace.liu").get_role(RoleName="HsmOperator")

    def test_policies_refer_to_deleted_users_by_unique_id(self):
        iam, kms = self.aws.client("iam"), self.aws.client("kms")
        allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}}
        user = iam.create_user(UserName="student", Path="/course/", Tags=[{"Key": "team", "Value": "red"}])["User"]
        self.assertEqual(user["Arn"], "arn:aws:iam::111122223333:user/course/student")
        iam.put_user_policy(UserName="student", PolicyName="list", PolicyDocument=json.dumps(allow))
        self.assertEqual(iam.list_user_policies(UserName="student")["PolicyNames"], ["list"])
        self.assertEqual(iam.get_user_policy(UserName="student", PolicyName="list")["PolicyDocument"], allow)
        key = iam.create_access_key(UserName="student")["AccessKey"]
        self.assertEqual(iam.list_access_keys(UserName="student")["AccessKeyMetadata"][0]["AccessKeyId"], key["AccessKeyId"])
        student = boto3.client("kms", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
                               region_name="us-west-2", endpoint_url=self.aws.url)
        student.list_keys()
        with assert_client_error(self, "EntityAlreadyExists"):
            iam.create_user(UserName="STUDENT")
        root = "arn:aws:iam::111122223333:root"
        statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": [root, user["Arn"]]}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        kms_key = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
        student.encrypt(KeyId=kms_key, Plaintext=b"x")
        with assert_client_error(self, "DeleteConflict"):
            iam.delete_user(UserName="student")
        iam.delete_access_key(UserName="student", AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName="student", PolicyName="list")
        iam.delete_user(UserName="student")
        with assert_client_error(self, "NoSuchEntity"):
            iam.get_user(UserName="student")
        shown = json.loads(kms.get_key_policy(KeyId=kms_key, PolicyName="default")["Policy"])
        self.assertEqual(shown["Statement"][0]["Principal"]["AWS"], [root, user["UserId"]])
        # A new user with the same name doesn't get the permissions of the deleted one.
        iam.create_user(UserName="student", Path="/course/")
        key = iam.create_access_key(UserName="student")["AccessKey"]
        student = boto3.client("kms", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
                               region_name="us-west-2", endpoint_url=self.aws.url)
        with assert_client_error(self, "AccessDeniedException"):
            student.encrypt(KeyId=kms_key, Plaintext=b"x")

    def test_sessions_have_tags_and_a_source_identity(self):
        iam, sts = self.aws.client("iam"), self.aws.client("sts")
        actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
        for name, actions in [("TaggedSession", actions), ("PlainSession", actions[:1])]:
            trust = {"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Action": actions, "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}}
            role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
            self.assertEqual(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"], trust)
        tags = [{"Key": "team", "Value": "red"}]
        arn = "arn:aws:iam::111122223333:role/"
        with assert_client_error(self, "AccessDenied"):
            sts.assume_role(RoleArn=arn + "PlainSession", RoleSessionName="it", Tags=tags)
        with assert_client_error(self, "AccessDenied"):
            sts.assume_role(RoleArn=arn + "PlainSession", RoleSessionName="it", SourceIdentity="ann")
        session = sts.assume_role(RoleArn=arn + "TaggedSession", RoleSessionName="it", Tags=tags,
                                  TransitiveTagKeys=["team"], SourceIdentity="ann")
        self.assertEqual(session["SourceIdentity"], "ann")
        with assert_client_error(self, "ValidationError"):
            sts.assume_role(RoleArn=arn + "TaggedSession", RoleSessionName="it", DurationSeconds=7200)
        with assert_client_error(self, "ValidationError"):
            sts.assume_role(RoleArn=arn + "TaggedSession", RoleSessionName="it", PolicyArns=[{"arn": arn + "x" * 9}])
        iam.delete_role(RoleName="PlainSession")
        with assert_client_error(self, "NoSuchEntity"):
            iam.delete_role(RoleName="PlainSession")

    def test_presigned_request_identifies_its_signer(self):
        sts = self.aws.client("sts")
        url = sts.client.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
        request = urllib.request.Request(url, headers={"Accept": "application/json"})
        identity = json.load(urllib.request.urlopen(request))["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
        self.assertEqual(identity["Arn"], "arn:aws:iam::111122223333:user/Admin")
        self.assertIn("<GetCallerIdentityResult>", urllib.request.urlopen(url).read().decode())
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url + "0", headers={"Accept": "application/json"}))
        self.assertEqual(json.load(caught.exception)["Error"]["Code"], "IncompleteSignature")

    def test_keys_can_be_found_by_tag(self):
        kms, tagging = self.aws.client("kms"), self.aws.client("resourcegroupstaggingapi")
        arns = []
        for value in ["a", "b", "b"]:
            tags = [{"TagKey": "stage", "TagValue": value}]
            arns.append(kms.create_key(Tags=tags)["KeyMetadata"]["Arn"])
        pages = tagging.client.get_paginator("get_resources").paginate(
            ResourceTypeFilters=["kms:key"], TagFilters=[{"Key": "stage", "Values": ["b"]}], ResourcesPerPage=1)
        found = [one["ResourceARN"] for page in pages for one in page["ResourceTagMappingList"]]
        self.assertEqual(sorted(found), sorted(arns[1:]))
        self.assertEqual(tagging.get_resources(ResourceTypeFilters=["s3"])["ResourceTagMappingList"], [])
        one = tagging.get_resources(ResourceARNList=arns[:1])["ResourceTagMappingList"]
        self.assertEqual(one, [{"ResourceARN": arns[0], "Tags": [{"Key": "stage", "Value": "a"}]}])

    def test_calls_appear_in_cloudtrail(self):
        kms = self.aws.client("kms")
        key = kms.create_key(Description="watched")["KeyMetadata"]
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"not recorded")
        trail = self.aws.client("cloudtrail")

        def events(**arguments):
            return trail.lookup_events(
                LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": key["Arn"]}], **arguments
            )

        found = events()["Events"]
        self.assertEqual([event["EventName"] for event in found], ["Encrypt", "CreateKey"])
        self.assertEqual([event["ReadOnly"] for event in found], ["true", "false"])
        record = json.loads(found[0]["CloudTrailEvent"])
        self.assertIn("Boto3", record["userAgent"])
        self.assertEqual(record["sourceIPAddress"], "127.0.0.1")
        self.assertNotIn(base64.b64encode(b"not recorded").decode(), found[0]["CloudTrailEvent"])
        first = events(MaxResults=1)
        second = events(MaxResults=1, NextToken=first["NextToken"])
        self.assertEqual([second["Events"][0]["EventName"], "NextToken" in second], ["CreateKey", False])
        shown = self.aws.cli("cloudtrail", "lookup-events", "--max-results", "1")
        self.assertEqual(shown["Events"][0]["EventSource"], "cloudtrail.amazonaws.com")

    def test_proxy_calls_appear_in_cloudwatch(self):
        kms, cloudwatch = self.aws.client("kms"), self.aws.client("cloudwatch")
        for _ in range(3):
            kms.encrypt(KeyId="alias/customer-db", Plaintext=b"counted")
        listed = cloudwatch.list_metrics(
            Namespace="AWS/KMS",
            MetricName="XksProxyErrors",
            Dimensions=[{"Name": "KmsOperation", "Value": "Encrypt"}, {"Name": "ExceptionName", "Value": "None"}],
        )["Metrics"]
        now = datetime.datetime.now(datetime.timezone.utc)
        arguments = {
            "StartTime": now - datetime.timedelta(hours=1),
            "EndTime": now + datetime.timedelta(minutes=5),
            "ScanBy": "TimestampAscending",
        }

        def query(metric, stat):
            return [{"Id": "q", "MetricStat": {"Metric": metric, "Period": 300, "Stat": stat}}]

        counts = [
            sum(cloudwatch.get_metric_data(MetricDataQueries=query(metric, "SampleCount"), **arguments)["MetricDataResults"][0]["Values"])
            for metric in listed
        ]
        self.assertIn(True, [count >= 3 for count in counts])
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            cloudwatch.get_metric_data(MetricDataQueries=query(listed[0], "p99"), **arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], "ValidationError")
        shown = self.aws.cli("cloudwatch", "list-metrics", "--namespace", "AWS/KMS", "--recently-active", "PT3H")
        self.assertIn("XksProxyLatency", [metric["MetricName"] for metric in shown["Metrics"]])

    def test_key_material_is_rotated(self):
        kms = self.aws.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        before = kms.encrypt(KeyId=key, Plaintext=b"before")["CiphertextBlob"]
        kms.rotate_key_on_demand(KeyId=key)
        kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
        self.assertEqual(kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"], 180)
        kms.disable_key_rotation(KeyId=key)
        rotations = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
        self.assertEqual([one["KeyMaterialState"] for one in rotations], ["NON_CURRENT", "CURRENT"])
        self.assertEqual(kms.decrypt(CiphertextBlob=before)["Plaintext"], b"before")
        self.assertEqual(kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]["Operation"], "Decrypt")

    def test_files_are_readable_only_by_their_owner(self):
        for name in ("config", "credentials"):
            self.assertEqual((self.aws.path / name).stat().st_mode & 0o777, 0o600)


class Tls(unittest.TestCase):
    def test_clients_trust_the_generated_certificate(self):
        aws = Server("--tls-self-signed")
        self.assertTrue(aws.url.startswith("https://localhost:"))
        self.assertEqual(aws.cli("sts", "get-caller-identity")["Account"], "111122223333")
        kms = aws.client("kms")
        self.assertEqual(len(kms.list_keys()["Keys"]), 8)
        aws.stop()


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    # The AWS settings of this machine must not reach the clients.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    unittest.main(verbosity=1)
