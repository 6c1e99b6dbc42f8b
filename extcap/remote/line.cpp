// SPDX-License-Identifier: GPL-2.0-or-later
// sshd gives each command a process group of its own and, without a terminal, no signal when the client goes:
// only the end of stdin tells. `kill 0` reaches that group and nobody else.
#include "extcap/remote/line.h"

#include "extcap/capture/method.h"

#include <cstdint>
#include <string_view>

namespace podshark::extcap::remote {
namespace {

// dd takes what has come. fd 3, because the stdin of a background job is /dev/null.
constexpr std::string_view kBeat = "timeout 6 dd bs=64 count=1 2>/dev/null <&3 5>&-";

std::string mark() {
  return std::string("echo; echo ") + kMarker + "; ";
}
std::string begin() {
  return mark() + "exec 3<&0; ";
}
std::string answer(Answers answers) {
  return answers == Answers::yes ? std::string("echo ") + kAlive + " >&5" : std::string(":");
}
// What is true as long as a beat comes in time. Afterwards $late is 0 at the end of file, else none came.
std::string beats() {
  return "b=$(" + std::string(kBeat) + "); late=$?; [ -n \"$b\" ]";
}

}  // namespace

std::string shell_word(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string shell_words(const std::vector<std::string>& argv) {
  std::string out;
  for (const std::string& word : argv) out += (out.empty() ? "" : " ") + shell_word(word);
  return out;
}

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

// ssh waits for whoever has stdout or stderr: the lease, which has stderr for its answers, is ended with the
// command. A command that was killed is told as such: by a signal of our own.
std::string leased_group(const std::string& command, Answers answers) {
  return begin() + "exec 5>&2; trap : TERM HUP; (trap - TERM HUP; while " + beats() + "; do " +
         answer(answers) +
         "; done; exec 5>&-; if [ $late = 0 ]; then kill -TERM 0; else kill -HUP 0; fi) >/dev/null 2>&1 & "
         "lease=$!; (trap - TERM HUP; " +
         command +
         ") </dev/null 3<&- 5>&-; code=$?; kill $lease 2>/dev/null; [ $code -le 128 ] || kill -KILL $$; "
         "exit $code";
}

// The pipe's writer ends with the beats, and then the reader does; when the reader is first, the writer is
// told by a signal, which the shells between them survive for the exit code. What they say of that is not for
// anybody's eyes: only the command has our stderr.
std::string leased_stdin(const std::string& command, Answers answers, const std::string& alive) {
  return begin() + "exec 5>&2 2>/dev/null; trap : TERM; (trap - TERM; while " + beats() + " && " + alive +
         "; do echo .; " + answer(answers) + "; done; [ $late = 0 ] || echo " + kUnheard +
         " >&5) | (trap : TERM; { " + command +
         "; } 2>&5 3<&- 5>&-; code=$?; exec >/dev/null 5>&-; kill -TERM 0; exit $code)";
}

std::string with_stdin(const std::string& command) {
  return mark() + command;
}

}  // namespace podshark::extcap::remote
