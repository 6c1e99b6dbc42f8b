// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/rest_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "podman/api/limits.h"
#include "podman/core/fd.h"
#include "podman/core/text.h"

namespace podshark::api {
namespace {

// Accepted by every podman from 4.0 on.
constexpr const char* kPrefix = "/v4.0.0/libpod";

Result<UniqueFd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Error{ErrorKind::no_podman, "connect to '" + path + "': path too long", {}};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return os_error(errno, "socket");
  // On unix sockets this never waits: a full backlog is EAGAIN.
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return os_error(errno, "connect to '" + path + "'", {}, ErrorKind::no_podman);
  }
  return fd;
}

bool wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    const auto left = time_left(deadline).count();
    if (left <= 0) return false;
    pollfd p{fd, events, 0};
    const int n = ::poll(&p, 1, static_cast<int>(left));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

bool send_all(int fd, std::string_view data, Deadline deadline) {
  while (!data.empty()) {
    if (!wait_for(fd, POLLOUT, deadline)) return false;
    const ssize_t n = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (n > 0) data.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Empty reason: all was read.
std::string receive_all(int fd, std::size_t max_bytes, Deadline deadline, std::string& out) {
  std::array<char, 65536> buffer{};
  for (;;) {
    if (!wait_for(fd, POLLIN, deadline)) return "did not answer in time";
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (n == 0) return {};
    if (n < 0 && errno != EAGAIN && errno != EINTR) return std::strerror(errno);
    if (n > 0) out.append(buffer.data(), static_cast<std::size_t>(n));
    if (out.size() > max_bytes) return "sent more than " + std::to_string(max_bytes) + " bytes";
  }
}

}  // namespace

Result<HttpResponse> parse_http(std::string_view text) {
  const auto bad = [](const char* why) { return Error{ErrorKind::no_podman, why, {}}; };
  const std::size_t end = text.substr(0, kMaxHttpHeader).find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.") || end == std::string_view::npos) return bad("answer is not HTTP");
  const std::vector<std::string> status_line = split(text.substr(0, text.find("\r\n")), ' ');
  std::uint64_t status = 0;
  if (status_line.size() < 2 || !parse_number(status_line[1], 999, status)) return bad("answer is not HTTP");
  HttpResponse out;
  out.status = static_cast<unsigned>(status);
  out.body = text.substr(end + 4);
  for (const std::string& line : split(text.substr(0, end), '\n')) {
    std::string lower(trim(line));
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    // Allowed in HTTP/1.1 only, which was not asked for.
    if (lower.starts_with("transfer-encoding:")) return bad("answer is chunked");
    std::uint64_t length = 0;
    if (lower.starts_with("content-length:") && parse_number(trim(lower.substr(15)), 1ULL << 40U, length) &&
        length != out.body.size()) {
      return bad("answer is cut short");
    }
  }
  return out;
}

bool RestSocket::answers() const {
  return static_cast<bool>(connect_to(path_));
}

Result<std::string> RestSocket::get(const std::string& target, std::size_t max_bytes,
                                    Deadline deadline) const {
  const std::string what = "podman socket '" + path_ + "'";
  const Result<UniqueFd> fd = connect_to(path_);
  if (!fd) return fd.error();
  const std::string request =
      std::string("GET ") + kPrefix + target + " HTTP/1.0\r\nHost: d\r\nAccept: application/json\r\n\r\n";
  if (!send_all(fd->get(), request, deadline)) {
    return Error{ErrorKind::no_podman, what + " did not take the request in time", {}};
  }
  std::string raw;
  const std::string reason = receive_all(fd->get(), max_bytes + kMaxHttpHeader, deadline, raw);
  if (!reason.empty()) return Error{ErrorKind::no_podman, what + " " + reason, {}};
  Result<HttpResponse> response = parse_http(raw);
  if (!response) return response.wrap(what);
  if (response->status == 404) return Error{ErrorKind::not_found, what + ": not found: " + target, {}};
  if (response->status != 200) {
    return Error{
        ErrorKind::no_podman,
        what + " answered " + std::to_string(response->status) + ": " + one_line(response->body, 200),
        {}};
  }
  return std::move(response->body);
}

Result<std::string> RestSocket::ps(Deadline deadline) {
  return get("/containers/json?all=true&pod=true&namespace=true", kMaxListBytes, deadline);
}

// A list of the answers, those with 404 left out: they vanished since they were listed.
Result<std::string> RestSocket::get_each(const std::string& before, const std::vector<std::string>& names,
                                         std::size_t max_bytes, Deadline deadline) const {
  std::string out = "[";
  for (const std::string& name : names) {
    const Result<std::string> one = get(before + name + "/json", max_bytes, deadline);
    if (!one && one.error().kind == ErrorKind::not_found) continue;
    if (!one) return one.error();
    if (out.size() + one->size() > max_bytes) {
      return Error{ErrorKind::no_podman,
                   "podman socket '" + path_ + "' sent more than " + std::to_string(max_bytes) + " bytes",
                   {}};
    }
    if (out.size() > 1) out += ",";
    out += *one;
  }
  return out + "]";
}

Result<std::string> RestSocket::inspect(const std::vector<std::string>& ids, Deadline deadline) {
  return get_each("/containers/", ids, kMaxInspectBytes, deadline);
}

Result<std::string> RestSocket::networks(const std::vector<std::string>& names, Deadline deadline) {
  std::vector<std::string> safe;
  for (const std::string& name : names) {
    if (is_podman_name(name)) safe.push_back(name);
  }
  return get_each("/networks/", safe, kMaxListBytes, deadline);
}

Result<std::string> RestSocket::pods(Deadline deadline) {
  return get("/pods/json", kMaxListBytes, deadline);
}

}  // namespace podshark::api
