"""Reads workflow files. What a workflow is, is said in engine/workflow.py; its names can be had from here too."""

from engine.workflow import ASSIGNEE, FORMS, ROLES, RULE, Choice, Field, Form, State, Transition, Workflow

__all__ = ["ASSIGNEE", "FORMS", "ROLES", "RULE", "Choice", "Field", "Form", "State", "Transition", "Workflow"]
