import{e,k as s}from"./chunk-UND5WVNF.js";var r=e(null);function p(){let o=s(r);if(!o)throw new Error("no dashboard above this component");return o}export{r as a,p as b};
