"""The files of a contract as protoc hands them over: options, comments, places, types."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

SERVICE, METHOD = 6, 2  # Field numbers in FileDescriptorProto and ServiceDescriptorProto.


class Contract:
    """Some proto files with everything they import.

    Options are read with the extensions these files define themselves, so that the runtime
    needs no generated code to generate code.
    """

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self.files = {file.name: file for file in files}
        self.errors: list[str] = []
        self._pool = DescriptorPool()
        self._messages: dict[str, tuple[FileDescriptorProto, DescriptorProto]] = {}
        self._places: dict[str, dict[tuple[int, ...], Any]] = {}
        for file in self.files.values():
            self._pool.Add(file)
            for message in file.message_type:
                self._enter(file, f".{file.package}", message)

    def _enter(self, file: FileDescriptorProto, scope: str, message: DescriptorProto) -> None:
        name = f"{scope}.{message.name}"
        self._messages[name] = (file, message)
        for nested in message.nested_type:
            self._enter(file, name, nested)

    def file_of(self, type_name: str) -> FileDescriptorProto:
        """Return the file that defines a message, named as in descriptors: ".a.v1.Order"."""
        return self._messages[type_name][0]

    def fields_of(self, type_name: str) -> dict[str, FieldDescriptorProto]:
        """Return the fields of a message by name; none of a type that is not a message."""
        entry = self._messages.get(type_name)
        return {field.name: field for field in entry[1].field} if entry else {}

    def option(self, options: Message, extension: str) -> Any:
        """Return the value of an option, such as "trading.options.v1.method", or None."""
        try:
            known = self._pool.FindExtensionByName(extension)
        except KeyError:  # No file imports the options.
            return None
        holder: Any = GetMessageClass(
            self._pool.FindMessageTypeByName(options.DESCRIPTOR.full_name)
        )
        parsed: Any = holder.FromString(options.SerializeToString())
        return parsed.Extensions[known] if parsed.HasExtension(known) else None

    def comment(self, file: FileDescriptorProto, path: tuple[int, ...]) -> str:
        """Return the comment before the place in `file` that a descriptor path names."""
        place = self._place(file, path)
        lines = place.leading_comments.splitlines() if place else []
        return "\n".join(line.removeprefix(" ").rstrip() for line in lines).strip()

    def fail(self, file: FileDescriptorProto, path: tuple[int, ...], message: str) -> None:
        """Record an error at the place in `file` that a descriptor path names."""
        place = self._place(file, path)
        line = place.span[0] + 1 if place else 1
        self.errors.append(f"{file.name}:{line}: error: {message}")

    def _place(self, file: FileDescriptorProto, path: tuple[int, ...]) -> Any:
        if file.name not in self._places:
            places = file.source_code_info.location
            self._places[file.name] = {tuple(place.path): place for place in places}
        return self._places[file.name].get(path)
