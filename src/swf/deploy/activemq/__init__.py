"""ActiveMQ Classic: its configuration, laid out for one broker, and the command that starts it."""

from swf.deploy.activemq.layout import USERS, BrokerPlan, Keystore, lay_out, new_passwords, start_command
from swf.deploy.activemq.program import PACKAGES, BrokerProgram, find_program

__all__ = [
    "PACKAGES",
    "USERS",
    "BrokerPlan",
    "BrokerProgram",
    "Keystore",
    "find_program",
    "lay_out",
    "new_passwords",
    "start_command",
]
