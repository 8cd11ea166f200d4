"""Tests of the served KMS against the API model of AWS: every member of every request, with invalid values.

Usage: python model.py PROGRAM
"""

import base64
import http.client
import json
import os
import sys
import unittest
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials

import aws

MODEL = boto3.Session().client("kms", "us-west-2", aws_access_key_id="x", aws_secret_access_key="x").meta.service_model
NULL = "Member must not be null"
# Valid values of strings that must have a certain format.
EXAMPLES = {
    "AliasNameType": "alias/model",
    "PrincipalIdType": "arn:aws:iam::111122223333:user/Admin",
    "ServicePrincipalType": "backup.amazonaws.com",
    "GrantConstraintSourceArnType": "arn:aws:backup:us-west-2:111122223333:vault",
    "RegionType": "us-east-1",
    "AccountIdType": "111122223333",
    "CloudHsmClusterIdType": "cluster-1234abcd567",
    "XksProxyUriEndpointType": "https://xks-proxy.example.com",
    "XksProxyUriPathType": "/kms/xks/v1",
    "XksProxyVpcEndpointServiceNameType": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0",
    "XksProxyAuthenticationAccessKeyIdType": "ABCDEFGHIJKLMNOPQRST",
}


def lower_first(name):
    return name[0].lower() + name[1:]


def is_secret(shape):
    """Whether messages hide the value. This includes blobs, for which AWS shows a Java object address."""
    return bool(shape.metadata.get("sensitive")) or shape.type_name == "blob"


def encode_bytes(length):
    return base64.b64encode(b"x" * length).decode()


def minimal_value(shape, key_id):
    """Returns the smallest valid value of a shape."""
    kind = shape.type_name
    if shape.name == "KeyIdType":
        return key_id
    if kind == "structure":
        return {name: minimal_value(shape.members[name], key_id) for name in shape.required_members}
    if kind == "list":
        return [minimal_value(shape.member, key_id)]
    if kind == "map":
        return {}
    if kind == "string":
        return shape.enum[0] if shape.enum else EXAMPLES.get(shape.name, "a" * max(1, shape.metadata.get("min", 1)))
    if kind == "blob":
        return encode_bytes(max(1, shape.metadata.get("min", 1)))
    if kind == "integer":
        return shape.metadata["min"]
    return {"boolean": False, "timestamp": 1700000000}[kind]


def invalid_values(shape):
    """Yields values that violate one constraint of a scalar or list, each with the message of AWS."""
    kind, low, high = shape.type_name, shape.metadata.get("min", 0), shape.metadata.get("max")
    if kind == "string" and shape.enum:
        yield "NO_SUCH_VALUE", f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        return
    make = {"string": lambda length: "a" * length, "blob": encode_bytes, "list": lambda length: ["SELF"] * length}.get(kind)
    if make and high:
        yield make(high + 1), f"Member must have length less than or equal to {high}"
    if make and low:
        yield make(low - 1), f"Member must have length greater than or equal to {low}"
    if kind == "integer":
        yield high + 1, f"Member must have value less than or equal to {high}"
        yield low - 1, f"Member must have value greater than or equal to {low}"
        yield -1, f"Member must have value greater than or equal to {low}"
    if "pattern" in shape.metadata:
        wrong = "\x01" * max(low, 1)
        yield wrong, f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}"


# JSON values of the wrong type, by type of the shape.
WRONG_TYPES = {
    "string": [7, True, [], {}],
    "blob": [7, True, [], {}, "*", "YQ", "YQ=*", "-_8="],
    "integer": ["7", True, [], {}, 1.5],
    "boolean": ["true", 1, [], {}],
    "timestamp": ["2026-01-01T00:00:00Z", True, [], {}],
    "list": ["x", 7, True, {}],
    "map": ["x", 7, True, []],
    "structure": ["x", 7, True, []],
}


class Location:
    """A location in a request: its shape, the path in messages, and a function that returns a request with a value there."""

    def __init__(self, shape, path, put, in_list=False):
        self.shape, self.path, self.put, self.in_list = shape, path, put, in_list


def locations_below(shape, path, put, key_id):
    """Yields every location below a structure."""
    for name, member in shape.members.items():

        def put_member(value, name=name):
            return put({**minimal_value(shape, key_id), name: value})

        yield from locations_at(member, f"{path}.{lower_first(name)}" if path else lower_first(name), put_member, key_id)


def locations_at(shape, path, put, key_id):
    yield Location(shape, path, put)
    if shape.type_name == "structure":
        yield from locations_below(shape, path, put, key_id)
    elif shape.type_name == "map":
        yield Location(shape.value, path, lambda value: put({"name": value}))
    elif shape.type_name == "list" and shape.member.type_name == "structure":
        yield from locations_below(shape.member, f"{path}.1.member", lambda value: put([value]), key_id)
    elif shape.type_name == "list":
        yield Location(shape.member, path, lambda value: put([value]), in_list=True)


class Model(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aws = aws.Server()
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        cls.credentials = botocore.credentials.Credentials(*(cls.aws.environment[name] for name in names))
        cls.connection = http.client.HTTPConnection(urllib.parse.urlsplit(cls.aws.url).netloc)
        cls.key_id = cls.create_key()

    @classmethod
    def tearDownClass(cls):
        cls.connection.close()
        cls.aws.stop()

    @classmethod
    def create_key(cls):
        return cls.call("CreateKey", {})[2]["KeyMetadata"]["KeyId"]

    @classmethod
    def call(cls, operation, body):
        """Sends JSON or raw bytes. Returns the status, the error code, and the parsed response."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{operation}"}
        request = botocore.awsrequest.AWSRequest("POST", cls.aws.url + "/", headers=headers, data=data)
        botocore.auth.SigV4Auth(cls.credentials, "kms", "us-west-2").add_auth(request)
        cls.connection.request("POST", "/", body=data, headers=dict(request.headers))
        response = cls.connection.getresponse()
        output = json.loads(response.read() or b"{}")
        return response.status, output.get("__type"), output

    def assert_rejected(self, operation, body, code):
        """Asserts that a request fails with this code and returns the error message."""
        status, error_code, output = self.call(operation, body)
        shown = f"{operation} {str(body)[:300]}: {str(output)[:300]}"
        self.assertEqual((status, error_code), (400, code), shown)
        return output.get("message", "")

    def operations(self):
        return [(name, MODEL.operation_model(name).input_shape) for name in MODEL.operation_names]

    def test_exactly_the_operations_of_the_model_are_known(self):
        for name, shape in self.operations():
            status, code, output = self.call(name, minimal_value(shape, self.create_key()))
            self.assertNotIn(code, ("UnknownOperationException", "SerializationException", "InternalFailure"), output)
            self.assertIn(status, (200, 400), output)
            errors = {error.name for error in MODEL.operation_model(name).error_shapes}
            if code not in (None, "ValidationException"):
                self.assertIn(code, errors, output)
        for name in ("Sing", "createKey", "", "CreateKey2"):
            self.assert_rejected(name, {}, "UnknownOperationException")

    def test_required_members_must_be_present(self):
        for name, shape in self.operations():
            body = minimal_value(shape, self.key_id)
            for member in shape.required_members:
                for without in ({k: v for k, v in body.items() if k != member}, {**body, member: None}):
                    message = self.assert_rejected(name, without, "ValidationException")
                    constraint = f"Value null at '{lower_first(member)}' failed to satisfy constraint: {NULL}"
                    self.assertEqual(message, f"1 validation error detected: {constraint}")
            count = len(shape.required_members)
            if count > 1:
                for empty in ({}, b""):
                    message = self.assert_rejected(name, empty, "ValidationException")
                    self.assertTrue(message.startswith(f"{count} validation errors detected: "), message)
                    self.assertEqual(message.count(NULL), count, message)
            for location in locations_below(shape, "", lambda body: body, self.key_id):
                for member in location.shape.required_members if location.shape.type_name == "structure" else ():
                    value = minimal_value(location.shape, self.key_id)
                    del value[member]
                    message = self.assert_rejected(name, location.put(value), "ValidationException")
                    self.assertIn(f"Value null at '{location.path}.{lower_first(member)}' failed to satisfy constraint: {NULL}", message)

    def test_every_constraint_is_enforced_with_the_message_of_aws(self):
        for name, shape in self.operations():
            for location in locations_below(shape, "", lambda body: body, self.key_id):
                for value, limit in invalid_values(location.shape):
                    message = self.assert_rejected(name, location.put(value), "ValidationException")
                    shown = "" if is_secret(location.shape) else f" '{value}'"
                    if location.in_list:
                        self.assertIn(f"Value '[{value}]' at '{location.path}' failed to satisfy constraint: Member must satisfy constraint: [", message)
                        self.assertIn(limit, message)
                    elif location.shape.type_name == "list":
                        self.assertIn(f"at '{location.path}' failed to satisfy constraint: {limit}", message)
                    else:
                        self.assertIn(f"Value{shown} at '{location.path}' failed to satisfy constraint: {limit}", message)
                    if is_secret(location.shape) and value:
                        self.assertNotIn(value, message)
                    count = message.count(" failed to satisfy constraint: ")
                    self.assertTrue(message.startswith(f"{count} validation error{'s' if count > 1 else ''} detected: "), message)

    def test_values_of_the_wrong_type_are_rejected(self):
        for name, shape in self.operations():
            for location in locations_below(shape, "", lambda body: body, self.key_id):
                for value in WRONG_TYPES[location.shape.type_name]:
                    self.assert_rejected(name, location.put(value), "SerializationException")

    def test_bodies_that_are_not_json_objects_are_rejected(self):
        for name, _ in self.operations():
            for body in (b"{", b"[]", b'"x"', b"7", b"null", b'{"KeyId":}', b"\xff\xfe", b'{"KeyId":"k"} x', b"{'KeyId':'k'}"):
                self.assert_rejected(name, body, "SerializationException")

    def test_unknown_members_and_nulls_are_ignored(self):
        for name, shape in self.operations():
            codes = set()
            for more in ({}, {"Unknown": {"member": [1, None]}, "keyid": 7}, "null"):
                body = minimal_value(shape, self.create_key())
                if more == "null":
                    more = {member: None for member in shape.members if member not in shape.required_members}
                codes.add(self.call(name, {**body, **more})[1])
            # Creating and deleting an alias succeeds only the first time.
            codes -= {"AlreadyExistsException", "NotFoundException"} if None in codes else set()
            self.assertEqual(len(codes), 1, f"{name}: {codes}")


if __name__ == "__main__":
    aws.PROGRAM = os.path.abspath(sys.argv.pop(1))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    unittest.main(verbosity=1)
