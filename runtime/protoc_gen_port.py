"""protoc plugin: one Python port per proto service, with the policy of its methods."""

import sys

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse

from runtime.protoc_contract import Contract
from runtime.protoc_policy import check_degradations, policy_of
from runtime.protoc_render import render


def main() -> None:
    """Answer the request that protoc or buf writes to standard input."""
    request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(generate(request).SerializeToString())


def generate(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """Return the ports of the files asked for, or every error of their contracts."""
    response = CodeGeneratorResponse(
        supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    contract = Contract(request.proto_file)
    for name in request.file_to_generate:
        file = contract.files[name]
        if not file.service:
            continue
        for s in range(len(file.service)):
            check_degradations(contract, file, s)
        policies = {
            (s, m): policy_of(contract, file, s, m)
            for s, service in enumerate(file.service)
            for m in range(len(service.method))
        }
        if not contract.errors:
            port = name.removesuffix(".proto") + "_port.py"
            response.file.add(name=port, content=render(contract, file, policies))
    if contract.errors:
        del response.file[:]
        response.error = "\n".join(contract.errors)
    return response


if __name__ == "__main__":
    main()
