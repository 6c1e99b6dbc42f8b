// SPDX-License-Identifier: GPL-2.0-or-later
// The script travels as base64, so that any login shell passes it on unread.
#include "extcap/remote/far_script.h"

#include <cstdint>
#include <cstdlib>
#include <random>

#include "extcap/capture/filter.h"
#include "extcap/capture/method.h"
#include "podman/core/process.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

// Where no session manager set these: podman needs the one, users install below the other.
constexpr const char* kPaths =
    "PATH=$PATH:$HOME/.local/bin:/usr/local/bin:/usr/sbin:/sbin; : ${XDG_RUNTIME_DIR:=/run/user/$(id -u)}; "
    "export PATH XDG_RUNTIME_DIR; ";
constexpr int kSshFailed = 255;
// podman's client does not notice a cut line; podshark-agent writes its figures every second.
constexpr std::chrono::seconds kApiSilence{10};
// ssh does, by ServerAliveInterval and -CountMax in nine to twelve; but for a connection that the user's own
// ssh shares with us (ControlMaster), which has the options that it was made with.
constexpr std::chrono::seconds kSilence{11};
constexpr const char* kNoWord = "ssh ended without a word";
constexpr const char* kNoScript = ": its shell could not start podshark: ";

std::string value_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string prologue() {
  const std::string more = value_of(kOneOfSeveral).empty() ? "" : std::string("\\ ") + kAnyPort;
  return kPaths + ("PODSHARK_CARRIER=$SSH_CONNECTION" + more) + "; export PODSHARK_CARRIER; ";
}

// Behind a jump host that can not be reached the last line tells only that its ssh has ended.
std::string cause(const std::string& said) {
  for (const std::string& line : split(said, '\n')) {
    for (const char* telling : {"connect to host ", "Could not resolve hostname ", "Permission denied"}) {
      if (line.find(telling) != std::string::npos) return one_line(line, 200);
    }
  }
  return last_line(said, 200);
}

}  // namespace

std::string podshark_script(const std::vector<std::string>& words) {
  return "command -v podshark >/dev/null || exit " + std::to_string(kNotThere) + "; " +
         leased_group("exec podshark " + shell_words(words), Answers::yes);
}

Line ssh_line(const FarHost& host, const std::string& script, Asking asking) {
  Line line;
  line.name = host.name;
  if (!host.connection.empty()) {
    line.argv = {"sh", "-c", script};
    line.silence = kApiSilence;
    line.refused = [host](int, const std::string& said) {
      return Error{ErrorKind::unsupported, host.name + ": " + last_line(said, 200), {}};
    };
    return line;
  }
  // No ! and no ' inside, so that csh takes it too.
  line.argv = ssh_command(
      host, "exec sh -c 'eval \"$(echo " + base64(prologue() + script) + " | base64 -d)\"'", asking);
  line.environment = ssh_environment(asking);
  line.answer = kAlive;
  line.silence = kSilence;
  line.install = "install the OpenSSH client (openssh-client)";
  if (asking == Asking::by_program) {
    // Also where there is a terminal: ssh is in the background.
    line.environment.emplace_back("SSH_ASKPASS_REQUIRE=force");
    if (value_of("SSH_ASKPASS").empty())
      line.environment.push_back("SSH_ASKPASS=" + find_program("ssh-askpass"));
  }
  line.refused = [host](int code, const std::string& said) {
    if (code == kSshFailed) return ssh_error(host, said);
    return Error{ErrorKind::unsupported, host.name + kNoScript + last_line(said, 200), {}};
  };
  line.lost_code = kSshFailed;
  return line;
}

Error not_there(const FarHost& host) {
  return {ErrorKind::unsupported, "podshark is not installed on " + host.name,
          "install it there too: its package, or install/setup.sh"};
}

bool can_ask() {
  return !(value_of("DISPLAY") + value_of("WAYLAND_DISPLAY")).empty() &&
         (!value_of("SSH_ASKPASS").empty() || !find_program("ssh-askpass").empty());
}

std::vector<std::string> ssh_environment(Asking asking) {
  std::vector<std::string> out{"LC_ALL=C"};
  // That of a jump host is not in batch mode, whatever ours is: it must not ask on our terminal either.
  if (asking == Asking::nobody)
    out.insert(out.end(), {"SSH_ASKPASS_REQUIRE=force", "SSH_ASKPASS=" + find_program("false")});
  return out;
}

std::vector<std::string> ssh_command(const FarHost& host, const std::string& command, Asking asking) {
  std::vector<std::string> out{"ssh", "-T", "-a", "-x"};
  for (const char* option :
       {"ConnectTimeout=10", "ServerAliveInterval=3", "ServerAliveCountMax=3", "Compression=no",
        "EscapeChar=none", "ClearAllForwardings=yes", "LogLevel=ERROR", "RemoteCommand=none"})
    out.insert(out.end(), {"-o", option});
  // In batch mode ssh does not even start its askpass program.
  out.insert(out.end(), {"-o", asking == Asking::nobody ? "BatchMode=yes" : "NumberOfPasswordPrompts=1"});
  out.insert(out.end(), host.options.begin(), host.options.end());
  out.insert(out.end(), {"--", host.destination, command});
  return out;
}

// Behind a jump host newer ones say nothing at all of it, or only that at a level that is not asked for.
bool refused_for_now(const Error& error) {
  const auto has = [&](const char* text) { return error.what.find(text) != std::string::npos; };
  return error.kind == ErrorKind::unreachable &&
         (has("kex_exchange_identification") || has("onnection reset") || has("onnection closed") ||
          has(kNoWord));
}

std::chrono::milliseconds some_time() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::milliseconds(300 + random() % 2200);
}

Error ssh_error(const FarHost& host, const std::string& said) {
  const std::string words = cause(said);
  const auto has = [&](const char* text) { return said.find(text) != std::string::npos; };
  const Error wrong{ErrorKind::unreachable, host.name + ": " + (words.empty() ? kNoWord : words), {}};
  const std::string by_hand = "try 'ssh " + host.destination + "' in a terminal";
  if (has("Host key verification failed") || has("HOST IDENTIFICATION HAS CHANGED"))
    return {ErrorKind::permission, host.name + ": its host key is not known, or has changed",
            by_hand + ": it shows the key and asks"};
  if (has("Permission denied") || has("Too many authentication failures"))
    return {ErrorKind::permission, host.name + ": ssh may not log in (" + words + ")",
            "a key in an agent, or one without passphrase, is needed; " + by_hand};
  return {wrong.kind, wrong.what, by_hand};
}

}  // namespace podshark::extcap::remote
