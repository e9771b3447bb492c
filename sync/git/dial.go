package git

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/assay-dev/assay/api/fault"
)

// Dial opens connections for https and ssh, and refuses link-local addresses, where cloud
// providers keep machine credentials. Whoever else connects to where a user's object says
// should dial with it.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: 15 * time.Second, Control: refuseLinkLocal}).DialContext(ctx, network, address)
}

func refuseLinkLocal(_, address string, _ syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); err == nil && to.Addr().Unmap().IsLinkLocalUnicast() {
		return errLinkLocal
	}
	return nil
}

// CheckHost refuses a host that is a link-local address, in any notation. [Dial] does not see
// where a proxy connects to, so that hosts are checked before. What a name stands for, and
// whether that may be reached, is the proxy's to say. The fault is HostNotTrusted.
func CheckHost(host string) error {
	addr, err := netip.ParseAddr(strings.TrimSuffix(host, "."))
	switch {
	case err == nil && addr.Unmap().WithZone("").IsLinkLocalUnicast():
		return fault.New(fault.HostNotTrusted, fault.Place{}, "use another host", "%q is a link-local address", host)
	case err != nil && numeric(host):
		// Such as 2852039166 or 0xa9fea9fe, which some resolvers take for an address.
		return fault.New(fault.HostNotTrusted, fault.Place{}, "write the address with four decimal numbers, or use a name", "%q is an address in a notation that is refused", host)
	}
	return nil
}

// numeric says whether the last label is a number: no name ends in one.
func numeric(host string) bool {
	last := strings.TrimSuffix(host, ".")
	last = strings.ToLower(last[strings.LastIndexByte(last, '.')+1:])
	if digits, hex := strings.CutPrefix(last, "0x"); hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
