// SPDX-License-Identifier: GPL-2.0-or-later
// sshd gives each command a process group of its own and, without a terminal, no signal when the client goes:
// only the end of stdin tells. `kill 0` reaches that group and nobody else. The script travels as base64, so
// that any login shell passes it on unread.
#include "extcap/remote/far_script.h"

#include <array>
#include <cstdint>

#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

std::string base64(const std::string& text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    std::uint32_t bits = 0;
    const std::size_t have = std::min<std::size_t>(3, text.size() - at);
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8U | (i < have ? static_cast<std::uint8_t>(text[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out += i <= have ? kDigits[bits >> (18 - 6 * i) & 63U] : '=';
  }
  return out;
}

// Where no session manager set these: podman needs the one, users install below the other.
constexpr const char* kPrologue =
    "PATH=$PATH:$HOME/.local/bin:/usr/local/bin:/usr/sbin:/sbin; : ${XDG_RUNTIME_DIR:=/run/user/$(id -u)}; "
    "PODSHARK_CARRIER=$SSH_CONNECTION; export PATH XDG_RUNTIME_DIR PODSHARK_CARRIER; ";
// dd takes what has come; the inner shell must hold neither stdout nor stderr, or ssh waits for it.
constexpr const char* kLease =
    "exec 3<&0; (while [ -n \"$(timeout 6 dd bs=64 count=1 2>/dev/null <&3)\" ]; do :; done; kill -TERM 0) "
    ">/dev/null 2>&1 & ";

}  // namespace

std::string shell_word(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::vector<std::string> far_command(const FarHost& host, const std::vector<std::string>& words,
                                     Asking asking) {
  std::string call = "podshark";
  for (const std::string& word : words) call += " " + shell_word(word);
  const std::string script = std::string(kPrologue) + "command -v podshark >/dev/null || exit " +
                             std::to_string(kNotThere) + "; echo; echo " + kMarker + "; " + kLease + "exec " +
                             call + " </dev/null 3<&-";
  // No ! and no ' inside, so that csh takes it too.
  return ssh_command(host, "exec sh -c 'eval \"$(echo " + base64(script) + " | base64 -d)\"'", asking);
}

std::vector<std::string> ssh_command(const FarHost& host, const std::string& command, Asking asking) {
  std::vector<std::string> out{"ssh", "-T", "-a", "-x"};
  for (const char* option :
       {"ConnectTimeout=10", "ServerAliveInterval=3", "ServerAliveCountMax=3", "Compression=no",
        "EscapeChar=none", "ClearAllForwardings=yes", "LogLevel=ERROR"})
    out.insert(out.end(), {"-o", option});
  // In batch mode ssh does not even start its askpass program.
  out.insert(out.end(), {"-o", asking == Asking::nobody ? "BatchMode=yes" : "NumberOfPasswordPrompts=1"});
  out.insert(out.end(), host.options.begin(), host.options.end());
  out.insert(out.end(), {"--", host.destination, command});
  return out;
}

Error ssh_error(const FarHost& host, const std::string& said) {
  const std::string words = last_line(said, 200);
  const auto has = [&](const char* text) { return said.find(text) != std::string::npos; };
  const Error wrong{
      ErrorKind::unreachable, host.name + ": " + (words.empty() ? "ssh ended without a word" : words), {}};
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
