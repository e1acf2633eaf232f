module pushcore.test/vectors

go 1.21
