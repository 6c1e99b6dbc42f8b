// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/listed_host.h"

#include <algorithm>

#include "extcap/remote/host_book.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::string_view kLocal = "unix://";
constexpr std::size_t kSchemeEnd = 6;  // of "ssh://"

// "ssh://user@host:port/run/user/1000/podman/podman.sock": the path is the socket's there.
Result<FarHost> host_of_uri(const std::string& uri, const std::string& key) {
  if (!is_far(uri)) return Error{ErrorKind::unsupported, in_quotes(uri) + " is not ssh://", {}};
  HostFields fields;
  fields.host = uri.substr(0, uri.find('/', kSchemeEnd));
  fields.key = key;
  return host_of(fields);
}

class Collector {
 public:
  void add(const Result<FarHost>& host, bool saved, const std::string& from, const std::string& connection) {
    if (!host) {
      out_.notes.push_back(from + ": " + host.error().line());
      return;
    }
    const auto known = std::find_if(out_.hosts.begin(), out_.hosts.end(),
                                    [&](const ListedHost& h) { return same_place(h.host, *host); });
    if (known == out_.hosts.end()) {
      out_.hosts.push_back({*host, saved, from, connection});
    } else if (known->connection.empty()) {
      known->connection = connection;
    }
  }
  ListedHosts take() { return std::move(out_); }

 private:
  ListedHosts out_;
};

}  // namespace

ListedHosts listed_hosts(const std::vector<FarHost>& saved, const std::vector<api::Connection>& connections,
                         const PodmanVariables& variables) {
  Collector collector;
  for (const FarHost& host : saved) collector.add(host, true, "saved", {});
  if (!variables.host.empty() && !variables.host.starts_with(kLocal))
    collector.add(host_of_uri(variables.host, variables.key), false, "CONTAINER_HOST", {});
  std::vector<api::Connection> ordered = connections;
  std::stable_sort(ordered.begin(), ordered.end(), [&](const api::Connection& a, const api::Connection& b) {
    const auto rank = [&](const api::Connection& c) {
      return c.name == variables.connection ? 0 : c.is_default ? 1 : 2;
    };
    return rank(a) < rank(b);
  });
  for (const api::Connection& c : ordered) {
    if (c.uri.starts_with(kLocal)) continue;
    const std::string name = one_line(c.name, 80);
    collector.add(host_of_uri(c.uri, c.identity), false,
                  (c.machine ? "podman machine " : "podman connection ") + name, name);
  }
  return collector.take();
}

const ListedHost* find_host(const std::vector<ListedHost>& hosts, const FarHost& named) {
  const auto place = std::find_if(hosts.begin(), hosts.end(),
                                  [&](const ListedHost& h) { return same_place(h.host, named); });
  if (place != hosts.end()) return &*place;
  const auto name = std::find_if(hosts.begin(), hosts.end(),
                                 [&](const ListedHost& h) { return h.connection == named.destination; });
  return name == hosts.end() ? nullptr : &*name;
}

}  // namespace podshark::extcap::remote
