// to come
const a = "{assets}";
