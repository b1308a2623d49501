package certificate

var X520Names = x520Names[:]
