"""The served KMS held to AWS's own API model: every member of every request, with what it must not be.

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
# What looks right, where it is not enough to be long enough.
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


def small(name):
    return name[0].lower() + name[1:]


def is_secret(shape):
    """Data of callers are shown in no message either: AWS has a Java address in their place."""
    return bool(shape.metadata.get("sensitive")) or shape.type_name == "blob"


def encoded(length):
    return base64.b64encode(b"x" * length).decode()


def least(shape, key_id):
    """The least that a shape takes."""
    kind = shape.type_name
    if shape.name == "KeyIdType":
        return key_id
    if kind == "structure":
        return {name: least(shape.members[name], key_id) for name in shape.required_members}
    if kind == "list":
        return [least(shape.member, key_id)]
    if kind == "map":
        return {}
    if kind == "string":
        return shape.enum[0] if shape.enum else EXAMPLES.get(shape.name, "a" * max(1, shape.metadata.get("min", 1)))
    if kind == "blob":
        return encoded(max(1, shape.metadata.get("min", 1)))
    if kind == "integer":
        return shape.metadata["min"]
    return {"boolean": False, "timestamp": 1700000000}[kind]


def broken(shape):
    """Values that break one limit of a scalar or list, and what AWS says of each."""
    kind, low, high = shape.type_name, shape.metadata.get("min", 0), shape.metadata.get("max")
    if kind == "string" and shape.enum:
        yield "NO_SUCH_WORD", f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        return
    make = {"string": lambda length: "a" * length, "blob": encoded, "list": lambda length: ["SELF"] * length}.get(kind)
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


# JSON that is of another type.
MISFITS = {
    "string": [7, True, [], {}],
    "blob": [7, True, [], {}, "*", "YQ", "YQ=*", "-_8="],
    "integer": ["7", True, [], {}, 1.5],
    "boolean": ["true", 1, [], {}],
    "timestamp": ["2026-01-01T00:00:00Z", True, [], {}],
    "list": ["x", 7, True, {}],
    "map": ["x", 7, True, []],
    "structure": ["x", 7, True, []],
}


class Place:
    """A place in a request."""

    def __init__(self, shape, path, put, in_list=False):
        self.shape, self.path, self.put, self.in_list = shape, path, put, in_list


def places(shape, path, put, key_id):
    """Every place below a structure: its shape, what AWS calls it, and how a request gets a value there."""
    for name, member in shape.members.items():

        def into(value, name=name):
            return put({**least(shape, key_id), name: value})

        yield from place(member, f"{path}.{small(name)}" if path else small(name), into, key_id)


def place(shape, path, put, key_id):
    yield Place(shape, path, put)
    if shape.type_name == "structure":
        yield from places(shape, path, put, key_id)
    elif shape.type_name == "map":
        yield Place(shape.value, path, lambda value: put({"name": value}))
    elif shape.type_name == "list" and shape.member.type_name == "structure":
        yield from places(shape.member, f"{path}.1.member", lambda value: put([value]), key_id)
    elif shape.type_name == "list":
        yield Place(shape.member, path, lambda value: put([value]), in_list=True)


class Model(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aws = aws.Served()
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        cls.credentials = botocore.credentials.Credentials(*(cls.aws.environment[name] for name in names))
        cls.connection = http.client.HTTPConnection(urllib.parse.urlsplit(cls.aws.url).netloc)
        cls.key_id = cls.new_key()

    @classmethod
    def tearDownClass(cls):
        cls.connection.close()
        cls.aws.stop()

    @classmethod
    def new_key(cls):
        return cls.ask("CreateKey", {})[2]["KeyMetadata"]["KeyId"]

    @classmethod
    def ask(cls, operation, body):
        """Sends JSON, or bytes as they are; gives status, error code, and the answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{operation}"}
        request = botocore.awsrequest.AWSRequest("POST", cls.aws.url + "/", headers=headers, data=data)
        botocore.auth.SigV4Auth(cls.credentials, "kms", "us-west-2").add_auth(request)
        cls.connection.request("POST", "/", body=data, headers=dict(request.headers))
        response = cls.connection.getresponse()
        answer = json.loads(response.read() or b"{}")
        return response.status, answer.get("__type"), answer

    def refused(self, operation, body, code):
        status, told, answer = self.ask(operation, body)
        shown = f"{operation} {str(body)[:300]}: {str(answer)[:300]}"
        self.assertEqual((status, told), (400, code), shown)
        return answer.get("message", "")

    def operations(self):
        return [(name, MODEL.operation_model(name).input_shape) for name in MODEL.operation_names]

    def test_every_operation_is_known_and_no_other_is(self):
        for name, shape in self.operations():
            status, code, answer = self.ask(name, least(shape, self.new_key()))
            self.assertNotIn(code, ("UnknownOperationException", "SerializationException", "InternalFailure"), answer)
            self.assertIn(status, (200, 400), answer)
            errors = {error.name for error in MODEL.operation_model(name).error_shapes}
            if code not in (None, "ValidationException"):
                self.assertIn(code, errors, answer)
        for name in ("Sing", "createKey", "", "CreateKey2"):
            self.refused(name, {}, "UnknownOperationException")

    def test_what_is_required_must_be_there(self):
        for name, shape in self.operations():
            body = least(shape, self.key_id)
            for member in shape.required_members:
                for without in ({k: v for k, v in body.items() if k != member}, {**body, member: None}):
                    message = self.refused(name, without, "ValidationException")
                    words = f"Value null at '{small(member)}' failed to satisfy constraint: {NULL}"
                    self.assertEqual(message, f"1 validation error detected: {words}")
            count = len(shape.required_members)
            if count > 1:
                for empty in ({}, b""):
                    message = self.refused(name, empty, "ValidationException")
                    self.assertTrue(message.startswith(f"{count} validation errors detected: "), message)
                    self.assertEqual(message.count(NULL), count, message)
            for spot in places(shape, "", lambda body: body, self.key_id):
                for member in spot.shape.required_members if spot.shape.type_name == "structure" else ():
                    value = least(spot.shape, self.key_id)
                    del value[member]
                    message = self.refused(name, spot.put(value), "ValidationException")
                    self.assertIn(f"Value null at '{spot.path}.{small(member)}' failed to satisfy constraint: {NULL}", message)

    def test_every_limit_is_kept_and_told_in_the_words_of_aws(self):
        for name, shape in self.operations():
            for spot in places(shape, "", lambda body: body, self.key_id):
                for value, limit in broken(spot.shape):
                    message = self.refused(name, spot.put(value), "ValidationException")
                    shown = "" if is_secret(spot.shape) else f" '{value}'"
                    if spot.in_list:
                        self.assertIn(f"Value '[{value}]' at '{spot.path}' failed to satisfy constraint: Member must satisfy constraint: [", message)
                        self.assertIn(limit, message)
                    elif spot.shape.type_name == "list":
                        self.assertIn(f"at '{spot.path}' failed to satisfy constraint: {limit}", message)
                    else:
                        self.assertIn(f"Value{shown} at '{spot.path}' failed to satisfy constraint: {limit}", message)
                    if is_secret(spot.shape) and value:
                        self.assertNotIn(value, message)
                    count = message.count(" failed to satisfy constraint: ")
                    self.assertTrue(message.startswith(f"{count} validation error{'s' if count > 1 else ''} detected: "), message)

    def test_what_is_of_another_type_is_not_read(self):
        for name, shape in self.operations():
            for spot in places(shape, "", lambda body: body, self.key_id):
                for value in MISFITS[spot.shape.type_name]:
                    self.refused(name, spot.put(value), "SerializationException")

    def test_what_is_no_json_object_is_not_read(self):
        for name, _ in self.operations():
            for body in (b"{", b"[]", b'"x"', b"7", b"null", b'{"KeyId":}', b"\xff\xfe", b'{"KeyId":"k"} x', b"{'KeyId':'k'}"):
                self.refused(name, body, "SerializationException")

    def test_what_the_model_lacks_and_what_is_null_changes_nothing(self):
        for name, shape in self.operations():
            codes = set()
            for more in ({}, {"Pretty": {"please": [1, None]}, "keyid": 7}, "null"):
                body = least(shape, self.new_key())
                if more == "null":
                    more = {member: None for member in shape.members if member not in shape.required_members}
                codes.add(self.ask(name, {**body, **more})[1])
            # An alias is made and deleted once.
            codes -= {"AlreadyExistsException", "NotFoundException"} if None in codes else set()
            self.assertEqual(len(codes), 1, f"{name}: {codes}")


if __name__ == "__main__":
    aws.PROGRAM = os.path.abspath(sys.argv.pop(1))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    unittest.main(verbosity=1)
