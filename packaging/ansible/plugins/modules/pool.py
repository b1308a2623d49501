# SPDX-License-Identifier: Apache-2.0
"""The module trustpool.bundle.pool."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: pool
short_description: Sees to it that a Cisco device has certificates in its trustpool
version_added: 1.0.0
author:
  - Trustpool maintainers (@trustpool)
description:
  - Reads the pool of the device. Only if something that is wanted is missing, it has the device import a bundle, or pastes certificates,
    and reads the pool again.
  - It fails if the device does not say that it imported, if it says that it could not, or if the pool does not show what is wanted afterwards.
  - A question of the device that is not known is never answered. The module fails with the question, and closes the session.
  - In check mode and if nothing is missing, the device is sent no command but the C(show) command of its platform.
options:
  platform:
    description:
      - The family of the device. C(iosxe) serves for IOS and IOS XE, which take the same commands.
    type: str
    required: true
    choices: [ios, iosxe, iosxr, asa]
  url:
    description:
      - The device imports the bundle at this URL.
    type: str
  file:
    description:
      - The device imports the bundle that it has at this path, such as C(flash:ios.p7b).
    type: str
  pem:
    description:
      - The text of certificates in PEM. Those that are missing are pasted one by one. Only IOS and IOS XE have a command for it.
    type: str
  wanted:
    description:
      - Bundles or files of certificates, of any form that trustpool reads, on the control machine, or URLs of such.
        The pool must have each of their certificates, but those that have expired.
      - A certificate is found in the pool as C(trustpool pool read) does, by the strongest evidence that the platform prints.
        This needs the program trustpool on the control machine. It cannot read what an ASA prints; use I(expect) there.
      - If neither this nor I(expect) is given it is I(url) or I(pem).
    type: list
    elements: str
    default: []
  expect:
    description:
      - Texts that the device must show when it shows its pool, such as the common name of a root. Nothing else is asked of them, so this is
        weaker than I(wanted), and needs no other program.
    type: list
    elements: str
    default: []
  policy:
    description:
      - The device imports by its policy (C(crypto pki trustpool import ca-bundle)), which has I(url) already. For IOS and IOS XE.
    type: bool
    default: false
  clean:
    description:
      - If something is imported, what was downloaded earlier is dropped first.
    type: bool
    default: false
  save:
    description:
      - If something was imported, the configuration is kept with C(write memory). Not for IOS XR.
    type: bool
    default: false
  program:
    description:
      - The program trustpool, by its name or path.
    type: str
    default: trustpool
attributes:
  check_mode:
    support: full
    description: Says what would be imported, and sends no command that changes anything.
  diff_mode:
    support: full
    description: Shows which of the wanted certificates the pool has before and after.
notes:
  - The connection must be C(ansible.netcommon.network_cli), with the rights to import; for an ASA and for IOS that means C(become).
  - Nothing here was tried on a device of Cisco's. The commands are those of C(trustpool config), which says of each how sure it is.
"""

EXAMPLES = r"""
- name: Have the device import the core bundle if a root of it is missing
  trustpool.bundle.pool:
    platform: iosxe
    url: http://192.0.2.1/ios_core.p7b
    save: true

- name: Paste a root
  trustpool.bundle.pool:
    platform: iosxe
    pem: "{{ lookup('ansible.builtin.file', 'root.pem') }}"
    save: true

- name: Import on an ASA unless the root is there
  trustpool.bundle.pool:
    platform: asa
    url: http://192.0.2.1/ios_core.p7b
    expect: [IdenTrust Commercial Root CA 1]
"""

RETURN = r"""
missing:
  description: What was wanted and is not there. In check mode, and on failure, what is missing still.
  returned: always
  type: list
  elements: str
  sample: ['CN=IdenTrust Commercial Root CA 1,O=IdenTrust,C=US']
imported:
  description: What was missing before the import.
  returned: if something was imported, or would have been
  type: list
  elements: str
commands:
  description: The commands that were sent to import, or would have been; of a paste without the certificates.
  returned: always
  type: list
  elements: str
printed:
  description: What the device printed at each of them.
  returned: if something was sent
  type: list
  elements: str
"""

import json
import os
import re
import tempfile
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_text
from ansible.module_utils.connection import Connection, ConnectionError

SHOW = {
    "ios": "show crypto pki trustpool",
    "iosxe": "show crypto pki trustpool",
    "iosxr": "show crypto ca trustpool",
    "asa": "show crypto ca trustpool",
}

# The prompt, as the terminal plugins of cisco.ios, cisco.iosxr and cisco.asa have it.
PROMPT = r"[\r\n]?[\w+\-\.:\/\[\]]+(?:\([^\)]+\)){0,3}(?:[>#]) ?\Z"
# The beginning of a line that ends as questions do, with nothing after it: the device waits. What it asks does not matter.
QUESTION = r"[^\r\n]*[^\r\n\s][^\r\n]*[?:\])] ?\Z|[Pp]assword[^\r\n]*\Z|--More--[^\r\n]*\Z"
# How long it is silent before that counts as waiting, in seconds: a line may come in pieces.
SILENCE = 1

# A line that the device prints before it takes a paste (field notice FN72323). It is not a question.
PASTE = r"End with a blank line or .?quit.? on a line by itself"
# The question that import ca-bundle is known to ask: has the word bytes in it, and is answered yes.
BYTES = r"bytes[^\r\n]*(?:\?|yes)[^\r\n]*\Z"

FAILED = {
    "ios": r"(?i)% *(?:error|failed)|import failed|invalid certificate|no certificates imported",
    "iosxr": r"(?i)fail|error|invalid",
    "asa": r"(?i)% *error|error:",
}
SUCCEEDED = "% PEM files import succeeded."

CERTIFICATE = re.compile(r"-----BEGIN ([^-\r\n]*)-----\s*([A-Za-z0-9+/=\s]*?)\s*-----END \1-----")


class Command(object):
    """A line to send, and what is known of what the device answers."""

    def __init__(self, text, prompt=None, answer=None, success=None, final=False):
        self.text = text
        self.prompt = prompt  # what the device is known to say before it waits for answer
        self.answer = answer
        self.success = success  # patterns of which each must be in what it prints
        self.final = final  # sent even if an earlier one failed


def word(module, name, more):
    """Refuses a value that could be more than one word of a command line."""
    text = module.params[name]
    if text and not re.match(r"[A-Za-z0-9%s][A-Za-z0-9%s-]*\Z" % (more, more), text):
        module.fail_json(msg="%s: %r has a character that the device's command line could take for something else" % (name, text))
    return text


def certificates(pem):
    """The certificates of a text of PEM, each as lines to paste. None is passed over."""
    blocks = CERTIFICATE.findall(pem)
    if not blocks or len(blocks) != pem.count("-----BEGIN"):
        raise ValueError("pem: give certificates in PEM, each from its BEGIN to its END line")
    pastes = []
    for label, body in blocks:
        if label not in ("CERTIFICATE", "X509 CERTIFICATE"):
            raise ValueError("pem: it has a %s; give certificates alone" % label.lower())
        text = "".join(body.split())
        lines = [text[i:i + 64] for i in range(0, len(text), 64)]
        pastes.append(["-----BEGIN CERTIFICATE-----"] + lines + ["-----END CERTIFICATE-----"])
    return pastes


def commands(platform, source, pastes, policy=False, clean=False):
    """The commands of an import: of what is at source, or of pastes."""
    if platform in ("ios", "iosxe"):
        out = [Command("configure terminal")]
        for i, lines in enumerate(pastes):
            out.append(Command(
                "crypto pki trustpool import %sterminal" % ("clean " if clean and i == 0 else ""),
                PASTE, "\r".join(lines + ["quit"]), [SUCCEEDED],
            ))
        if policy:
            if clean:
                out.append(Command("crypto pki trustpool clean"))
            out.append(Command("crypto pki trustpool import ca-bundle", BYTES, "yes"))
        elif not pastes:
            out.append(Command("crypto pki trustpool import %surl %s" % ("clean " if clean else "", source), success=[SUCCEEDED]))
        return out + [Command("end", final=True)]
    if platform == "iosxr":
        out = [Command("crypto ca trustpool import url clean " + source)] if clean else []
        return out + [Command("crypto ca trustpool import url " + source)]
    return [Command(
        "crypto ca trustpool import %surl %s" % ("clean " if clean else "", source),
        success=["Root file signature verified.", r"re:(?:installed|duplicates): *[1-9]"],
    )]


def judge(platform, command, text):
    """Why what the device printed at a command is a failure; None if it is not."""
    said = text.replace(command.text.split()[-1], "")  # a URL may have any word in it
    found = re.search(FAILED.get(platform, FAILED["ios"]), said)
    if found:
        return "%s: the device says: %s" % (command.text, next(line.strip() for line in said.splitlines() if found.group(0) in line))
    for wanted in command.success or []:
        if not contains(text, wanted):
            return "%s: the device does not say that it imported (%s is not in what it printed)" % (command.text, wanted.replace("re:", ""))
    return None


def contains(text, wanted):
    """Reports whether a text has another, or what a pattern describes."""
    return bool(re.search(wanted[3:], text)) if wanted.startswith("re:") else wanted in text


def cause(error, command):
    """What an error of the connection says: without the command, and if the device said it, without its prompt."""
    lines = [line.strip() for line in error.splitlines()]
    if lines and lines[0].endswith(command):
        lines = ["the device says:"] + [line for line in lines[1:] if not re.match(PROMPT, line)]
    return " ".join(line for line in lines if line)


class Pool(object):
    """The pool of a device, and what is wanted of it."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.platform = module.params["platform"]
        self.result = dict(changed=False, missing=[], commands=[])
        self.now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.files = list(self.params["wanted"])
        self.source = word(module, "url", r"._~:/%+,=@\[\]()") or word(module, "file", "._:/+")
        self.pastes = []
        if self.params["pem"]:
            if self.platform not in ("ios", "iosxe"):
                self.fail("no command of %s is known that pastes certificates into the trustpool" % self.platform)
            try:
                self.pastes = certificates(self.params["pem"])
            except ValueError as e:
                self.fail(str(e))
        if self.params["policy"] and not (self.params["url"] and self.platform in ("ios", "iosxe")):
            self.fail("policy: only IOS and IOS XE import by their policy, and from a url")
        self.pasted = None  # the file of what is to be pasted, if it is what is wanted
        if not self.files and not self.params["expect"]:
            if self.params["pem"]:
                handle, self.pasted = tempfile.mkstemp(suffix=".pem", dir=module.tmpdir)
                with os.fdopen(handle, "w") as f:
                    f.write("".join("\n".join(lines) + "\n" for lines in self.pastes))
                self.files = [self.pasted]
            elif self.params["url"]:
                self.files = [self.params["url"]]
            else:
                self.fail("name what the device must have afterwards: wanted or expect")
        if module._socket_path is None:
            self.fail("the connection must be ansible.netcommon.network_cli")
        self.connection = Connection(module._socket_path)

    def fail(self, message):
        self.module.fail_json(msg=message, **self.result)

    def read(self):
        """Says what the pool has of what is wanted, and what is missing, and which pastes that is."""
        shown = self.ask(SHOW[self.platform])
        there, missing, positions = [], [], set()
        for name in self.files:
            difference = self.difference(shown, name)
            for c in difference["common"]:
                there.append(c["subject"])
            for c in difference["missing"]:
                if c["not_after"] is None or c["not_after"] > self.now:
                    missing.append(c["subject"])
                    positions.add(c["index"])
        for text in self.params["expect"]:
            (there if text in shown else missing).append(text)
        self.result["missing"] = missing
        return there, missing, positions

    def difference(self, shown, name):
        """What differs between a pool that is shown and a file, as trustpool finds it."""
        program = self.module.get_bin_path(self.params["program"])
        if program is None:
            self.fail("there is no program %s on the control machine to read the pool with: install it, or give expect instead of wanted" % self.params["program"])
        args = [program, "pool", "read", "-", "--platform", self.platform, "--against", name, "--at", self.now, "--json"]
        status, out, err = self.module.run_command(args, data=shown)
        if status > 1:
            self.fail("the pool cannot be compared with what is wanted: %s" % err.strip())
        return json.loads(out)["difference"]

    def ask(self, command):
        """What the device prints at a command that only shows."""
        try:
            text, prompt = self.connection.get(command), self.connection.get_prompt()
        except ConnectionError as e:
            self.hang_up()
            self.fail("%s: %s" % (command, cause(to_text(e), command)))
        if not prompt:
            self.hang_up()
            self.fail("%s: the device closed the session" % command)
        return to_text(text) + "\n"

    def hang_up(self):
        """Ends the session as it is: nothing more is sent in it."""
        try:
            self.connection.close()
        except ConnectionError:
            pass  # it is gone

    def send(self, todo):
        """Sends commands, and stops at anything that is not known."""
        printed = self.result.setdefault("printed", [])
        failure = None
        prompts = self.connection.get_option("terminal_stdout_re")
        silence = self.connection.get_option("persistent_buffer_read_timeout")
        self.connection.set_option("terminal_stdout_re", (prompts or [{"pattern": PROMPT}]) + [{"pattern": QUESTION}])
        self.connection.set_option("persistent_buffer_read_timeout", max(SILENCE, silence))
        for command in todo:
            if failure and not command.final:
                continue
            self.result["changed"] = True
            self.result["commands"].append(command.text)
            try:
                text = to_text(self.connection.get(command.text, prompt=command.prompt, answer=command.answer))
                prompt = to_text(self.connection.get_prompt() or "").strip()
            except ConnectionError as e:
                self.hang_up()
                self.fail("%s: %s; the session is closed" % (command.text, cause(to_text(e), command.text)))
            if not prompt:
                self.hang_up()
                self.fail("%s: the device closed the session" % command.text)
            printed.append(text)
            if prompt[-1:] not in ("#", ">"):
                self.hang_up()
                self.fail("%s: the device asks %r, which is not known; it was not answered, and the session is closed" % (command.text, prompt))
            failure = failure or judge(self.platform, command, text)
        self.connection.set_option("terminal_stdout_re", prompts)
        self.connection.set_option("persistent_buffer_read_timeout", silence)
        if failure:
            self.fail(failure)

    def run(self):
        there, missing, positions = self.read()
        if not missing:
            self.module.exit_json(**self.result)
        pastes = self.pastes
        if self.pasted:
            pastes = [lines for i, lines in enumerate(self.pastes, 1) if i in positions]
        todo = commands(self.platform, self.source, pastes, self.params["policy"], self.params["clean"])
        save = [Command("write memory")] if self.params["save"] and self.platform != "iosxr" else []
        self.result["imported"] = missing
        self.result["diff"] = dict(
            before_header="the pool, of what is wanted", before="".join(t + "\n" for t in there),
            after_header="the pool, of what is wanted", after="".join(t + "\n" for t in there + missing),
        )
        if self.module.check_mode:
            self.module.exit_json(**dict(self.result, changed=True, commands=[c.text for c in todo + save]))
        self.send(todo)
        after = self.read()[1]
        if after:
            self.fail("the device imported, and its pool does not show %d of %d that are wanted: %s" % (
                len(after), len(there) + len(missing), "; ".join(after[:5]) + ("; …" if len(after) > 5 else "")))
        self.send(save)
        self.module.exit_json(**self.result)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            platform=dict(type="str", required=True, choices=["ios", "iosxe", "iosxr", "asa"]),
            url=dict(type="str"),
            file=dict(type="str"),
            pem=dict(type="str"),
            wanted=dict(type="list", elements="str", default=[]),
            expect=dict(type="list", elements="str", default=[]),
            policy=dict(type="bool", default=False),
            clean=dict(type="bool", default=False),
            save=dict(type="bool", default=False),
            program=dict(type="str", default="trustpool"),
        ),
        required_one_of=[("url", "file", "pem")],
        mutually_exclusive=[("url", "file", "pem")],
        supports_check_mode=True,
    )
    Pool(module).run()


if __name__ == "__main__":
    main()
