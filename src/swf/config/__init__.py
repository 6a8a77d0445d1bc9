"""The one typed configuration tree: TOML files with includes, environment and flags, each value with its origin."""

from swf.config.common import AgentSection, Namespace, TestbedSection, WorkflowSection, WorkflowsSection
from swf.config.configuration import Configuration, Value
from swf.config.load import load, load_sections
from swf.config.origin import Layer, Origin
from swf.config.overrides import Override, Sources, parse_override, user_file
from swf.config.registry import WorkflowFile, WorkflowRegistry
from swf.config.section import LocalPath, PathList, Section, TextList
from swf.config.workflow import Role, SharedKey, WorkflowKind

__all__ = [
    "AgentSection",
    "Configuration",
    "Layer",
    "LocalPath",
    "Namespace",
    "Origin",
    "Override",
    "PathList",
    "Role",
    "Section",
    "SharedKey",
    "Sources",
    "TestbedSection",
    "TextList",
    "Value",
    "WorkflowFile",
    "WorkflowKind",
    "WorkflowRegistry",
    "WorkflowSection",
    "WorkflowsSection",
    "load",
    "load_sections",
    "parse_override",
    "user_file",
]
