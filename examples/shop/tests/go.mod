module example.com/shop/tests

go 1.26.0
