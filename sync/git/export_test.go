package git

// CacheUses is how many bytes a cache accounts for.
func CacheUses(c *Cache) int64 { return c.memo.Bytes() }
