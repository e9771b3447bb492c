package git

import "net/netip"

// CacheUses is how many bytes a cache accounts for.
func CacheUses(c *Cache) int64 { return c.memo.Bytes() }

// Loopback is for hosts that a test makes.
var Loopback = Reach{prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
